// ESP-Touch against Espressif's own senders, and through bad air.

import test from "ava";
import { readFileSync } from "node:fs";
import { crc8 } from "../../../tools/smartconfig/crc8.js";
import { dataLengths, GUIDE_CODES } from "../../../tools/smartconfig/v1.js";
import { V1Decoder } from "../../../tools/smartconfig/v1-decoder.js";
import { roundLengths } from "../../../tools/smartconfig/v2.js";
import { V2Decoder } from "../../../tools/smartconfig/v2-decoder.js";
import type { Transfer } from "../../../tools/smartconfig/v2-transfer.js";

interface Vector {
  ssid: string;
  password: string;
  bssid: string;
  lengths: number[];
}

interface V2Vector extends Vector {
  reserved: string | null;
  key: string | null;
  security: 1 | 2;
  portMark: number;
  random: string;
}

const vectors = JSON.parse(readFileSync("test/vectors/esptouch/lengths.json", "utf8")) as {
  v1: (Vector & { address: string })[];
  guide: number[];
  v2: V2Vector[];
};
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const OVERHEAD = 52;

function credentialsOf({ ssid, password, bssid }: Vector) {
  return { ssid: hex(ssid), password: hex(password), bssid: hex(bssid) };
}

test("CRC-8/MAXIM-DOW: the check value of the catalogue", (t) => {
  t.is(crc8(...Buffer.from("123456789")), 0xa1);
});

test("v1: the guide codes are the vendor's", (t) => {
  t.deepEqual(GUIDE_CODES, vectors.guide);
});

for (const [number, vector] of vectors.v1.entries()) {
  const credentials = credentialsOf(vector);
  const address = Uint8Array.from(vector.address.split("."), Number);
  test(`v1, vector ${number}: we send the vendor's lengths`, (t) => {
    t.deepEqual(dataLengths(credentials, address), vector.lengths);
  });

  test(`v1, vector ${number}: we hear the vendor's sender`, (t) => {
    const decoder = new V1Decoder();
    for (const length of [...GUIDE_CODES, ...GUIDE_CODES]) t.is(decoder.push(length + OVERHEAD), undefined);
    t.true(decoder.found);
    const heard = vector.lengths.map((length) => decoder.push(length + OVERHEAD)).find(Boolean);
    t.deepEqual(heard, { ...credentials, address });
  });
}

for (const [number, vector] of vectors.v2.entries()) {
  const credentials = credentialsOf(vector);
  const reserved = hex(vector.reserved ?? "");
  const key = vector.key === null ? undefined : hex(vector.key);
  test(`v2, vector ${number}: we send the vendor's lengths`, (t) => {
    let recorded = hex(vector.random);
    const random = (length: number) => {
      const next = recorded.slice(0, length);
      recorded = recorded.slice(length);
      return next;
    };
    const { security, portMark } = vector;
    t.deepEqual(
      roundLengths(credentials, { reserved, security, portMark, random, ...(key && { key }) }),
      vector.lengths,
    );
    t.is(recorded.length, 0);
  });

  test(`v2, vector ${number}: we hear the vendor's sender`, (t) => {
    const decoder = new V2Decoder();
    let heard: Transfer | undefined;
    for (const length of vector.lengths) heard ??= decoder.push(length + OVERHEAD);
    t.truthy(heard);
    t.deepEqual(heard!.ssid, credentials.ssid);
    t.is(heard!.bssidCrc, crc8(...credentials.bssid));
    t.is(heard!.portMark, vector.portMark);
    t.is(heard!.sealed, key !== undefined && credentials.password.length + reserved.length > 0);
    t.deepEqual(heard!.open(key), { password: credentials.password, reserved });
    if (!heard!.sealed) return;
    t.is(heard!.open(undefined), undefined);
    const other = heard!.open(hex("00".repeat(16)));
    if (other) t.notDeepEqual(other.password, credentials.password);
  });
}
