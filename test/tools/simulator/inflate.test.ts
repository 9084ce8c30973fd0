// The ROM's inflater against zlib: same bytes out, whatever the level and the cuts; an error for anything else.

import test from "ava";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { constants, deflateRawSync, deflateSync, inflateSync } from "node:zlib";
import { Inflate, InflateError } from "../../../tools/simulator/inflate.js";
import { seeded } from "../../../tools/simulator/seeded.js";

function inflate(bytes: Uint8Array, cut = bytes.length): { out: Buffer; ended: boolean } {
  const chunks: Uint8Array[] = [];
  const stream = new Inflate((chunk) => chunks.push(chunk.slice()));
  for (let at = 0; at < bytes.length; at += cut) stream.push(bytes.subarray(at, at + cut));
  return { out: Buffer.concat(chunks), ended: stream.ended };
}

const folder = "tools/simulator";
const source = Buffer.concat(readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`)));
const inputs: [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.of(7)],
  ["text", source.subarray(0, 50_000)],
  ["zeros", Buffer.alloc(200_000)],
  ["noise", randomBytes(70_000)],
  ["a far copy", Buffer.concat([randomBytes(32_768), Buffer.alloc(3)]).fill(source.subarray(0, 300), 32_468)],
];

for (const [name, input] of inputs) {
  test(`${name} comes out as it went in, at every level`, (t) => {
    for (const level of [0, 1, 6, 9]) {
      const packed = deflateSync(input, { level });
      for (const cut of [packed.length, 1024, 7]) {
        const { out, ended } = inflate(packed, Math.max(1, cut));
        t.true(ended, `level ${level}, pieces of ${cut}`);
        t.true(out.equals(input), `level ${level}, pieces of ${cut}`);
      }
    }
  });
}

test("fixed codes, and a byte at a time", (t) => {
  const packed = deflateSync(source.subarray(0, 3000), { strategy: constants.Z_FIXED });
  t.true(inflate(packed, 1).out.equals(source.subarray(0, 3000)));
});

test("output comes as soon as the input holds it", (t) => {
  const packed = deflateSync(source, { level: 9 });
  let got = 0;
  const stream = new Inflate((chunk) => (got += chunk.length));
  stream.push(packed.subarray(0, packed.length >> 1));
  t.true(got > source.length / 4 && got < source.length);
  t.false(stream.ended);
});

test("a cut stream does not end, a damaged one is an error or caught by the Adler-32, as zlib has it", (t) => {
  const packed = deflateSync(source.subarray(0, 4000));
  t.false(inflate(packed.subarray(0, -1)).ended);
  const wrong = Buffer.from(packed);
  wrong[wrong.length - 1]! ^= 1;
  t.is(t.throws(() => inflate(wrong), { instanceOf: InflateError })?.what, "adler");

  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  for (let i = 0; i < 300; i += 1) {
    const damaged = Buffer.from(packed);
    damaged[Math.floor(chance() * damaged.length)]! ^= 1 << Math.floor(chance() * 8);
    const theirs = attempt(() => inflateSync(damaged));
    const ours = attempt(() => {
      const { out, ended } = inflate(damaged, 100);
      if (!ended) throw new InflateError("data", "cut off");
      return out;
    });
    t.is(ours === undefined, theirs === undefined, `seed ${seed}, case ${i}`);
    if (ours && theirs) t.true(ours.equals(theirs));
  }
});

test("what the sink throws ends the push: a bomb is stopped at its limit", (t) => {
  const bomb = deflateSync(Buffer.alloc(10_000_000));
  let got = 0;
  const stream = new Inflate((chunk) => {
    got += chunk.length;
    if (got > 100_000) throw new RangeError("enough");
  });
  t.throws(() => stream.push(bomb), { instanceOf: RangeError });
  t.true(got < 200_000);
});

test("a copy from before the first byte is refused", (t) => {
  const dictionary = Buffer.from("the tide goes out ten metres");
  const packed = Buffer.concat([
    Buffer.of(0x78, 0x9c),
    deflateRawSync(dictionary, { dictionary }),
    Buffer.alloc(4),
  ]);
  t.is(t.throws(() => inflate(packed), { instanceOf: InflateError })?.what, "data");
});

test("noise is no zlib stream", (t) => {
  t.throws(() => inflate(Buffer.from("hello world, this is no zlib")), { instanceOf: InflateError });
});

function attempt(run: () => Buffer): Buffer | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return undefined;
  }
}
