// The defaults parser on 100,000 damaged blocks: it refuses, or gives what the CRC vouches for, and never does worse.

import test from "ava";
import { crc32 } from "../../../firmware/format/crc32.js";
import {
  encodeDefaults,
  findDefaults,
  findMarkers,
  marker,
  readDefaults,
} from "../../../firmware/format/defaults-block.js";
import { FormatError } from "../../../firmware/format/error.js";
import { damage, pick } from "../../support/damage.js";
import { seededRandom, type Random } from "../../support/random.js";

const CASES = 100_000;
const SUMMED = 16; // where what the CRC covers begins
const HEADER = 28;

const values = {
  "wifi.ssid": "Café 5G",
  "wifi.password": 'quote " and \\',
  "trial.uptimeMs": 2000,
  tofu: true,
};
const good = encodeDefaults(values, 200);

/** Pieces of which JSON is made, and some that break it. */
const pieces = [
  '{"a":1}',
  '"a":',
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "\\",
  "\\u00",
  "\xff",
  "\0",
  "1e999",
  "null",
  " ",
];

/** A block whose CRC is right, whatever its JSON is: what lies behind the CRC must hold on its own. */
function vouched(random: Random): Uint8Array {
  const block = good.slice();
  const json = Uint8Array.from(
    Array.from({ length: random.below(12) }, () => pick(random, pieces)).join(""),
    (letter) => letter.charCodeAt(0),
  );
  const damaged = random.below(2) === 0 ? json : damage(random, block.subarray(HEADER, HEADER + 90));
  const length = Math.min(damaged.length, 200);
  block.set(damaged.subarray(0, length), HEADER);
  const view = new DataView(block.buffer);
  view.setUint16(20, length, true);
  view.setUint32(24, crc32(block.subarray(HEADER, HEADER + length), crc32(block.subarray(16, 24))), true);
  return block;
}

/** The result of a read, or the code of the refusal; anything else is thrown on. */
function read(block: Uint8Array): object | undefined | string {
  try {
    return readDefaults(block);
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

test(`${CASES} damaged blocks`, (t) => {
  const random = seededRandom(4242);
  const jsonEnd = HEADER + new DataView(good.buffer).getUint16(20, true);
  const counts = { refused: 0, same: 0, vouched: 0 };
  for (let i = 0; i < CASES; i++) {
    const where = `seed ${random.seed}, case ${i}`;
    const isVouched = i % 2 === 1;
    const block = isVouched ? vouched(random) : damage(random, good);
    let result: object | undefined | string;
    try {
      result = read(block);
    } catch (error) {
      return void t.fail(`${where}: ${error}`);
    }
    if (typeof result === "string") {
      counts.refused++;
      if (result !== "defaults-corrupt" && result !== "value-not-utf8")
        return void t.fail(`${where}: ${result}`);
    } else if (isVouched) {
      counts.vouched++;
      for (const value of Object.values(result ?? {}))
        if (!["string", "number", "boolean"].includes(typeof value))
          return void t.fail(`${where}: ${typeof value}`);
    } else {
      counts.same++;
      const untouched = good.subarray(SUMMED, jsonEnd).every((byte, at) => block[SUMMED + at] === byte);
      if (!untouched) return void t.fail(`${where}: a damaged block was accepted`);
      if (JSON.stringify(result) !== JSON.stringify(values)) return void t.fail(`${where}: other values`);
    }
  }
  t.log(JSON.stringify({ ...counts, seed: random.seed }));
  t.true(counts.refused > 0 && counts.same > 0 && counts.vouched > 0);
});

test("10,000 damaged images: a block is found whole, or refused by code", (t) => {
  const random = seededRandom(4243);
  const image = Uint8Array.from([...random.bytes(300), ...good, ...random.bytes(300)]);
  for (let i = 0; i < 10_000; i++) {
    const bytes = damage(random, image);
    try {
      const { offset, capacity } = findDefaults(bytes);
      if (offset + HEADER + capacity > bytes.length)
        return void t.fail(`seed ${random.seed}, case ${i}: cut`);
    } catch (error) {
      if (!(error instanceof FormatError)) return void t.fail(`seed ${random.seed}, case ${i}: ${error}`);
    }
  }
  t.pass();
});

test("every marker is found, wherever it lies, and nothing else: against Buffer.indexOf", (t) => {
  const random = seededRandom(20261127);
  const wanted = marker();
  for (let i = 0; i < 5000; i += 1) {
    const image = Buffer.alloc(random.below(200), 0xff);
    const room = image.length - wanted.length;
    for (let times = random.below(6); times > 0 && room >= 0; times -= 1) {
      const from = random.below(3) && random.below(16); // whole, or without its beginning
      image.set(wanted.subarray(from), random.below(room + 1));
    }
    const expected: number[] = [];
    for (let at = image.indexOf(wanted); at >= 0; at = image.indexOf(wanted, at + 1)) expected.push(at);
    t.deepEqual(findMarkers(image), expected, `case ${i} of seed ${random.seed}: ${image.toString("hex")}`);
  }
});
