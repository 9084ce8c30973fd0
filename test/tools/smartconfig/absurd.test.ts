// ESP-Touch whose CRCs are right and whose lengths no sender sends: nothing is heard of it, and a right transfer still is.

import test from "ava";
import { crc8 } from "../../../tools/smartconfig/crc8.js";
import { EXTRA_LENGTH, GUIDE_CODES, SEQUENCE_MARK, dataLengths } from "../../../tools/smartconfig/v1.js";
import { V1Decoder } from "../../../tools/smartconfig/v1-decoder.js";
import {
  COUNT_LENGTH,
  GROUP_LENGTH,
  NUMBER_LENGTH,
  SYNC_LENGTH,
  dataLength,
  roundLengths,
} from "../../../tools/smartconfig/v2.js";
import { V2Decoder } from "../../../tools/smartconfig/v2-decoder.js";
import { network } from "../../support/firmware-board.js";

const ROUNDS = 3;
const credentials = {
  ssid: Buffer.from(network.ssid),
  password: Buffer.from(network.password),
  bssid: Uint8Array.of(2, 0xb0, 0x0e, 0, 0, 0),
};

/** Bytes as v1 numbers and checks them: whatever they claim. */
function v1Codes(bytes: readonly number[]): number[] {
  return bytes.flatMap((byte, sequence) => {
    const crc = crc8(byte, sequence);
    return [(crc & 0xf0) | (byte >> 4), SEQUENCE_MARK | sequence, ((crc & 0x0f) << 4) | (byte & 0x0f)].map(
      (value) => value + EXTRA_LENGTH,
    );
  });
}

/** 128 bytes that claim so much, with a sum that is right for them. */
function v1Claim(total: number, password: number): number[] {
  const bytes = [total, password, crc8(), crc8(), 0, ...new Array<number>(123).fill(0)];
  bytes[4] = bytes.slice(0, Math.min(total, 128)).reduce((sum, byte) => sum ^ byte, 0);
  return bytes;
}

for (const [what, total, password] of [
  ["a password of 65 bytes", 9 + 65, 65],
  ["a password of 255 bytes", 127, 255],
  ["a password beyond the total", 20, 64],
  ["a name of 33 bytes", 9 + 33, 0],
  ["a total of 0", 0, 0],
  ["a total below the head", 4, 0],
  ["a total beyond all numbers", 255, 0],
  ["a total whose BSSID is beyond all numbers", 125, 64],
] as const)
  test(`v1, ${what}: nothing is heard, and a right transfer behind it is`, (t) => {
    const decoder = new V1Decoder();
    const hear = (lengths: readonly number[]) => {
      for (const length of [...GUIDE_CODES, ...GUIDE_CODES, ...GUIDE_CODES]) decoder.push(length + 40);
      return Array.from({ length: ROUNDS }, () => lengths)
        .flat()
        .map((length) => decoder.push(length + 40))
        .find((result) => result !== undefined);
    };
    t.is(hear(v1Codes(v1Claim(total, password))), undefined);
    t.true(decoder.found);
    // Another access point, so that what was heard before does not count.
    for (const length of [...GUIDE_CODES, ...GUIDE_CODES, ...GUIDE_CODES]) decoder.push(length + 60);
    const right = dataLengths(credentials, Uint8Array.of(192, 168, 6, 9));
    const heard = [...right, ...right].map((length) => decoder.push(length + 60)).find(Boolean);
    t.deepEqual(heard?.password, new Uint8Array(credentials.password));
  });

/** A round whose head has a right CRC and claims so much; its groups are sound, and as many as its count says. */
function v2Round(ssid: number, password: number, reserved: number, flags: number, groups: number): number[] {
  const group = (bytes: readonly number[]) => {
    const whole = [...bytes, crc8(...bytes)];
    return Array.from({ length: 8 }, (_, position) =>
      dataLength(
        whole.reduce((bits, byte, i) => bits | (((byte >> position) & 1) << (GROUP_LENGTH - 1 - i)), 0),
        position,
      ),
    );
  };
  const count = COUNT_LENGTH + groups;
  const body = Array.from({ length: groups }, (_, number) => [
    ...new Array<number>(3).fill(NUMBER_LENGTH + number),
    ...group([65, 65, 65, 65, 65]),
  ]);
  return [
    SYNC_LENGTH,
    count,
    SYNC_LENGTH,
    count,
    ...group([ssid, password, reserved, 0, flags]),
    ...body.flat(),
  ];
}

const WIDE = 0x80;
for (const [what, round] of [
  ["a name of 33 bytes", v2Round(WIDE | 33, WIDE | 0, WIDE | 0, 1, 7)],
  ["a name of 127 bytes", v2Round(WIDE | 127, WIDE | 0, WIDE | 0, 1, 26)],
  ["a password of 65 bytes", v2Round(WIDE | 5, WIDE | 65, WIDE | 0, 1, 14)],
  ["reserved data of 65 bytes", v2Round(WIDE | 5, WIDE | 10, WIDE | 65, 1, 16)],
  ["more groups than the lengths need", v2Round(WIDE | 5, WIDE | 10, WIDE | 0, 1, 60)],
  ["fewer groups than the lengths need", v2Round(WIDE | 32, WIDE | 64, WIDE | 64, 1, 1)],
  ["a kind of security that is none", v2Round(WIDE | 5, WIDE | 10, WIDE | 0, 1 | (3 << 1), 3)],
  ["flags that are none", v2Round(WIDE | 5, WIDE | 10, WIDE | 0, 0xc1, 3)],
] as const)
  test(`v2, ${what}: nothing is heard, and a right transfer behind it is`, (t) => {
    const decoder = new V2Decoder();
    const rounds = Array.from({ length: ROUNDS }, () => round).flat();
    t.is(rounds.map((length) => decoder.push(length + 40)).find(Boolean), undefined);
    t.true(decoder.found);
    const right = roundLengths(credentials, { random: (length) => new Uint8Array(length) });
    const heard = [...right, ...right].map((length) => decoder.push(length + 60)).find(Boolean);
    t.deepEqual(heard?.open(undefined)?.password, new Uint8Array(credentials.password));
  });

test("the same claims with lengths that can be are heard: the refusals are for the lengths", (t) => {
  const decoder = new V2Decoder();
  const round = v2Round(WIDE | 5, WIDE | 10, WIDE | 0, 1, 3);
  const heard = [...round, ...round].map((length) => decoder.push(length + 40)).find(Boolean);
  t.is(Buffer.from(heard!.open(undefined)!.password).toString(), "A".repeat(10));
});
