// The strict NOR flash: what the store, the updater and the bootloader are tested on.

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlashError, NorFlash, PowerCut } from "../../../tools/simulator/flash.js";

const SIZE = 16 * 4096;
const bytes = (...values: number[]) => Uint8Array.from(values);

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-flash-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "board.flash");
}

function fails(t: ExecutionContext, code: string, act: () => void): void {
  const error = t.throws(act, { instanceOf: FlashError });
  t.is(error?.code, code);
  t.truthy(error?.help);
}

for (const backing of ["memory", "file"]) {
  const open = (t: ExecutionContext) => {
    const flash = NorFlash.open(backing === "file" ? { path: scratch(t), size: SIZE } : { size: SIZE });
    t.teardown(() => flash.close());
    return flash;
  };

  test(`${backing}: a new flash reads FF, a program clears bits, an erase sets its sector only`, (t) => {
    const flash = open(t);
    t.true(flash.read(0, SIZE).every((byte) => byte === 0xff));
    flash.program(4094, bytes(1, 2, 3, 4));
    t.deepEqual(flash.read(4093, 6), bytes(0xff, 1, 2, 3, 4, 0xff));
    flash.erase(4096);
    t.deepEqual(flash.read(4093, 6), bytes(0xff, 1, 2, 0xff, 0xff, 0xff));
    flash.program(4094, bytes(0, 2));
    t.deepEqual(flash.read(4094, 2), bytes(0, 2));
    t.deepEqual(flash.operations, { reads: 4, erases: 1, programs: 2 });
    t.is(flash.eraseCounts[1], 1);
    t.is(flash.eraseCounts[0], 0);
  });

  test(`${backing}: setting a bit without an erase is refused and changes nothing`, (t) => {
    const flash = open(t);
    flash.program(10, bytes(0xff, 0xf0));
    fails(t, "flash-not-erased", () => flash.program(10, bytes(0x00, 0xf1)));
    t.deepEqual(flash.read(10, 2), bytes(0xff, 0xf0));
  });

  test(`${backing}: every range is checked`, (t) => {
    const flash = open(t);
    for (const [offset, length] of [
      [-1, 1],
      [SIZE, 1],
      [SIZE - 1, 2],
      [0, -1],
      [0.5, 1],
      [NaN, 1],
      [0, Infinity],
    ]) {
      fails(t, "flash-out-of-range", () => flash.read(offset!, length!));
    }
    fails(t, "flash-out-of-range", () => flash.program(SIZE - 1, bytes(1, 2)));
    fails(t, "flash-out-of-range", () => flash.erase(SIZE));
    fails(t, "flash-not-aligned", () => flash.erase(1));
    t.deepEqual(flash.operations, { reads: 0, erases: 0, programs: 0 });
  });

  test(`${backing}: close can be called twice and use after it throws`, (t) => {
    const flash = open(t);
    flash.close();
    flash.close();
    fails(t, "flash-closed", () => flash.read(0, 1));
    fails(t, "flash-closed", () => flash.erase(0));
    fails(t, "flash-closed", () => flash.program(0, bytes(1)));
  });

  test(`${backing}: the n-th operation is torn, later ones fail too, until the power is back`, (t) => {
    const flash = open(t);
    flash.cutAfter(2, 7);
    flash.program(0, bytes(1, 2, 3));
    t.throws(() => flash.program(100, new Uint8Array(64)), { instanceOf: PowerCut });
    t.throws(() => flash.erase(0), { instanceOf: PowerCut });
    t.deepEqual(flash.read(0, 3), bytes(1, 2, 3));
    flash.cutAfter(undefined);
    flash.erase(0);
    t.true(flash.read(0, 4096).every((byte) => byte === 0xff));
  });
}

test("a torn program leaves a prefix and at most one byte with some of its bits", (t) => {
  const lengths = new Set<number>();
  let partial = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const flash = NorFlash.open({ size: 4096 });
    flash.cutAfter(1, seed);
    t.throws(() => flash.program(8, new Uint8Array(16)), { instanceOf: PowerCut });
    const found = flash.read(8, 16);
    const whole = found.findIndex((byte) => byte !== 0);
    lengths.add(whole === -1 ? 16 : whole);
    if (whole !== -1 && found[whole] !== 0xff) partial += 1;
    t.true(whole === -1 || found.subarray(whole + 1).every((byte) => byte === 0xff), `seed ${seed}`);
    t.true(
      flash.read(0, 8).every((byte) => byte === 0xff) && flash.read(24, 100).every((byte) => byte === 0xff),
    );
  }
  t.is(lengths.size, 17, "every prefix occurs");
  t.true(partial > 50);
});

test("a torn erase leaves anything between the old bytes and FF, in its own sector only", (t) => {
  const outcomes = { untouched: 0, complete: 0, mixed: 0 };
  for (let seed = 0; seed < 60; seed += 1) {
    const flash = NorFlash.open({ size: 3 * 4096 });
    flash.program(0, new Uint8Array(3 * 4096).fill(0x5a));
    flash.cutAfter(1, seed);
    t.throws(() => flash.erase(4096), { instanceOf: PowerCut });
    const found = flash.read(4096, 4096);
    if (found.every((byte) => byte === 0x5a)) outcomes.untouched += 1;
    else if (found.every((byte) => byte === 0xff)) outcomes.complete += 1;
    else outcomes.mixed += 1;
    t.true(
      found.every((byte) => (byte & 0x5a) === 0x5a),
      "an erase never clears a bit",
    );
    t.true(flash.read(0, 4096).every((b) => b === 0x5a) && flash.read(8192, 4096).every((b) => b === 0x5a));
  }
  t.true(outcomes.untouched > 0 && outcomes.complete > 0 && outcomes.mixed > 0, JSON.stringify(outcomes));
});

test("the same seed tears the same way", (t) => {
  const torn = (seed: number) => {
    const flash = NorFlash.open({ size: 4096 });
    flash.program(0, new Uint8Array(4096).fill(0x33));
    flash.cutAfter(1, seed);
    t.throws(() => flash.erase(0), { instanceOf: PowerCut });
    return flash.read(0, 4096);
  };
  t.deepEqual(torn(12), torn(12));
  t.notDeepEqual(torn(12), torn(13));
});

test("the file holds every operation before the call returns, and opens again as it was", (t) => {
  const path = scratch(t);
  const first = NorFlash.open({ path, size: SIZE });
  first.program(5, bytes(9, 8, 7));
  t.deepEqual(new Uint8Array(readFileSync(path).subarray(4, 9)), bytes(0xff, 9, 8, 7, 0xff));
  const second = NorFlash.open({ path, size: SIZE }); // the first was never closed: its process was killed
  t.deepEqual(second.read(5, 3), bytes(9, 8, 7));
  first.close();
  second.close();
  t.deepEqual(readdirSync(join(path, "..")), ["board.flash"], "no draft is left");
});

test("sizes that are no flash are refused", (t) => {
  for (const size of [0, -4096, 4095, 4097, NaN]) fails(t, "flash-size", () => NorFlash.open({ size }));
  const path = scratch(t);
  writeFileSync(path, "not a flash");
  fails(t, "flash-size", () => NorFlash.open({ path, size: SIZE }));
  t.is(readFileSync(path, "utf8"), "not a flash");
});

test("a flash in memory that begins with content leaves it to others as it was", (t) => {
  const content = new Uint8Array(4096 + 10).map((_, i) => i & 0xff);
  const [one, two] = [NorFlash.open({ size: SIZE, content }), NorFlash.open({ size: SIZE, content })];
  t.deepEqual(one.read(4090, 20), Uint8Array.from([...content.subarray(4090), 0xff, 0xff, 0xff, 0xff]));
  one.program(4095, bytes(0, 0, 0));
  one.erase(2 * 4096);
  t.deepEqual(one.read(4094, 5), bytes(content[4094]!, 0, 0, 0, content[4098]!));
  t.deepEqual(two.read(4094, 5), content.slice(4094, 4099));
  one.erase(0);
  t.deepEqual(one.read(4094, 4), bytes(0xff, 0xff, 0, 0));
  t.is(content[4095], 0xff);
});
