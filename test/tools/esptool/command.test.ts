// The serial bootloader's packets, both ways. Golden bytes: esptool's documentation and a trace of esptool on a C3.

import test from "ava";
import {
  blockRequest,
  checksum,
  CommandError,
  decodeBegin,
  decodeBlock,
  decodeRequest,
  decodeResponse,
  decodeSecurityInfo,
  decodeWords,
  encodeBegin,
  encodeRequest,
  encodeResponse,
  encodeSecurityInfo,
  encodeStatus,
  encodeWords,
  MAX_BLOCK,
  Op,
  opName,
  reasonText,
  splitBody,
  syncData,
} from "../../../tools/esptool/command.js";
import { seeded } from "../../../tools/simulator/seeded.js";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("SYNC is the packet that esptool sends", (t) => {
  const packet = encodeRequest({ op: Op.SYNC, data: syncData(), checksum: 0 });
  t.deepEqual(packet.subarray(0, 14), bytes(0, 8, 36, 0, 0, 0, 0, 0, 0x07, 0x07, 0x12, 0x20, 0x55, 0x55));
  t.is(packet.length, 44);
});

test("requests and responses come back as they went", (t) => {
  const request = {
    op: Op.WRITE_REG,
    data: encodeWords(0x60002000, 0x80000000, 0xffffffff, 0),
    checksum: 0xab,
  };
  t.deepEqual(decodeRequest(encodeRequest(request)), request);
  const response = { op: Op.READ_REG, value: 0xfffffffe, body: bytes(0, 0, 0, 0) };
  t.deepEqual(decodeResponse(encodeResponse(response)), response);
});

for (const [name, packet] of [
  ["empty", []],
  ["seven bytes", [1, 8, 0, 0, 0, 0, 0]],
  ["a request", [0, 8, 0, 0, 0, 0, 0, 0]],
  ["a size beyond the packet", [1, 8, 3, 0, 0, 0, 0, 0, 1, 2]],
] as const) {
  test(`${name} is no response`, (t) => {
    t.throws(() => decodeResponse(bytes(...packet)), { instanceOf: CommandError });
  });
}

for (const [name, packet] of [
  ["a response", [1, 8, 0, 0, 0, 0, 0, 0]],
  ["a size beyond the packet", [0, 8, 1, 0, 0, 0, 0, 0]],
  ["bytes left over", [0, 8, 0, 0, 0, 0, 0, 0, 1]],
] as const) {
  test(`${name} is no request`, (t) => {
    t.throws(() => decodeRequest(bytes(...packet)), { instanceOf: CommandError });
  });
}

test("the status lies behind the data, whether a ROM or a stub answers", (t) => {
  const md5 = new Uint8Array(16).fill(7);
  for (const length of [2, 4]) {
    t.deepEqual(splitBody(bytes(...md5, ...encodeStatus(length)), 16), { data: md5, reason: undefined });
    t.is(splitBody(bytes(...md5, ...encodeStatus(length, 0x06)), 16).reason, 0x06);
    t.is(splitBody(encodeStatus(length, 0x05), 16).reason, 0x05, "a refusal carries no data");
    t.deepEqual(splitBody(encodeStatus(length), 0), { data: bytes(), reason: undefined });
  }
  t.throws(() => splitBody(encodeStatus(4), 16), { instanceOf: CommandError });
  t.throws(() => splitBody(bytes(), 0), { instanceOf: CommandError });
});

test("BEGIN has five words for chips that know encrypted writes, else four", (t) => {
  const begin = { size: 0x2000, blocks: 8, blockSize: 0x400, offset: 0x10000 };
  t.is(encodeBegin(begin).length, 16);
  t.deepEqual(decodeBegin(encodeBegin(begin)), begin);
  const extended = { ...begin, encrypted: false };
  t.is(encodeBegin(extended).length, 20);
  t.deepEqual(decodeBegin(encodeBegin(extended)), extended);
  for (const length of [0, 15, 17, 24]) {
    t.throws(() => decodeBegin(new Uint8Array(length)), { instanceOf: CommandError });
  }
});

test("a block carries its length, sequence and checksum", (t) => {
  const request = blockRequest(Op.FLASH_DATA, { sequence: 3, payload: bytes(0xff, 0x10, 0x01) });
  t.deepEqual(request.data.subarray(0, 8), bytes(3, 0, 0, 0, 3, 0, 0, 0));
  t.is(request.checksum, 0xef ^ 0xff ^ 0x10 ^ 0x01);
  t.deepEqual(decodeBlock(request.data), { sequence: 3, payload: bytes(0xff, 0x10, 0x01) });
  t.throws(() => decodeBlock(request.data.subarray(0, 18)), { instanceOf: CommandError });
  t.throws(() => decodeBlock(bytes(1, 2)), { instanceOf: CommandError });
  t.throws(() => blockRequest(Op.FLASH_DATA, { sequence: 0, payload: new Uint8Array(MAX_BLOCK + 1) }));
  t.is(checksum(bytes()), 0xef);
});

test("security info comes back as it went", (t) => {
  const info = {
    flags: 0x80000001,
    flashCryptCount: 1,
    keyPurposes: bytes(1, 2, 3, 4, 5, 6, 7),
    chipId: 5,
    apiVersion: 3,
  };
  t.deepEqual(decodeSecurityInfo(encodeSecurityInfo(info)), info);
  t.throws(() => decodeSecurityInfo(new Uint8Array(12)), { instanceOf: CommandError });
});

test("words above 2^31 stay unsigned", (t) => {
  t.deepEqual(decodeWords(encodeWords(0xffffffff, 0x80000000), 2), [0xffffffff, 0x80000000]);
});

test("names and reasons are readable", (t) => {
  t.is(opName(0x10), "FLASH_DEFL_BEGIN");
  t.is(opName(0x7f), "0x7f");
  t.is(reasonText(0x07), "checksum error on the line (0x07)");
  t.is(reasonText(0x77), "unknown reason (0x77)");
});

test("random packets either decode within their bounds or throw CommandError", (t) => {
  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  const below = (n: number) => Math.floor(chance() * n);
  const decoders = [
    decodeRequest,
    decodeResponse,
    decodeBegin,
    decodeBlock,
    decodeSecurityInfo,
    (data: Uint8Array) => splitBody(data, below(40)),
  ];
  for (let i = 0; i < 4000; i += 1) {
    const packet = Uint8Array.from({ length: below(48) }, () => (chance() < 0.5 ? below(3) : below(256)));
    for (const decode of decoders) {
      try {
        decode(packet);
      } catch (error) {
        if (!(error instanceof CommandError)) t.fail(`seed ${seed}: ${error}`);
      }
    }
  }
  t.pass();
});
