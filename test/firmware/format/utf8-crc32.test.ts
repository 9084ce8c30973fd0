// Text and checksum against Node's TextEncoder and zlib.

import test from "ava";
import { crc32 } from "../../../firmware/format/crc32.js";
import { FormatError } from "../../../firmware/format/error.js";
import { decodeUtf8, encodeUtf8, measure } from "../../../firmware/format/utf8.js";
import { pick } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";

const texts = ["", "a", "Straße", "网络", "🛰️ sat", "\0 nul", "\u{10ffff}\uffff\ue000", "x".repeat(1000)];

for (const text of texts)
  test(`UTF-8 of ${JSON.stringify(text.slice(0, 20))} is TextEncoder's, and comes back`, (t) => {
    const bytes = encodeUtf8(text);
    t.deepEqual(bytes, new TextEncoder().encode(text));
    t.is(measure(text), bytes.length);
    t.is(decodeUtf8(bytes), text);
  });

for (const text of ["\ud800", "a\udc00", "\ud83d", "\udc00\ud800", "\ud800\ud800\udc00"])
  test(`half a surrogate pair is refused: ${JSON.stringify(text)}`, (t) => {
    t.is(t.throws(() => encodeUtf8(text), { instanceOf: FormatError })?.code, "value-not-utf8");
  });

test("decoding accepts and refuses exactly what a strict TextDecoder does", (t) => {
  const random = seededRandom(20260102);
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const edges = [
    0x00, 0x41, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee, 0xef,
  ];
  const all = [...edges, 0x8f, 0x90, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff];
  for (let i = 0; i < 60_000; i++) {
    const bytes = Uint8Array.from({ length: random.below(6) }, () => pick(random, all));
    let expected: string | undefined;
    try {
      expected = strict.decode(bytes);
    } catch {
      expected = undefined;
    }
    let got: string | undefined;
    try {
      got = decodeUtf8(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    if (got !== expected) return void t.fail(`seed ${random.seed}, case ${i}: ${[...bytes]}`);
  }
  t.pass();
});

// Python 3.11: zlib.crc32(data, initial)
const sums: [string, number[], number, number][] = [
  ["nothing", [], 0, 0],
  ["123456789", [...Buffer.from("123456789")], 0, 0xcbf43926],
  ["otadata sequence 1", [1, 0, 0, 0], 0xffffffff, 0x4743989a],
  ["otadata sequence 2", [2, 0, 0, 0], 0xffffffff, 0x55f63774],
];
for (const [name, bytes, initial, expected] of sums)
  test(`CRC-32 of ${name} is zlib's`, (t) => t.is(crc32(Uint8Array.from(bytes), initial), expected));

test("CRC-32 can be chained over parts", (t) => {
  const bytes = seededRandom(7).bytes(300);
  t.is(crc32(bytes.subarray(100), crc32(bytes.subarray(0, 100))), crc32(bytes));
});
