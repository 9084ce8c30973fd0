// The store on strict NOR flash, with the power cut at every operation.

import test from "ava";
import { LogStore, MAX_VALUE, type Checksum } from "../../../firmware/store/log-store.js";
import { NorFlash, PowerCut } from "../../../tools/simulator/flash.js";
import { seeded } from "../../../tools/simulator/seeded.js";
import { flashRegion } from "./flash-region.js";

const SECTORS = 6;

function open(nor: NorFlash, checksum?: Checksum): LogStore {
  return new LogStore({ flash: flashRegion(nor), checksum });
}

function bytes(length: number, chance: () => number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(chance() * 256));
}

interface Step {
  key: number;
  value: Uint8Array | undefined;
}

/** Small and large values, replaced, deleted: enough to go round a flash of six sectors more than once. */
function workload(seed: number, steps: number): Step[] {
  const chance = seeded(seed);
  return Array.from({ length: steps }, () => {
    const key = 1 + Math.floor(chance() * chance() * 9);
    if (chance() < 0.1) return { key, value: undefined };
    return { key, value: bytes(Math.floor(chance() * (chance() < 0.3 ? MAX_VALUE : 80)), chance) };
  });
}

function apply(store: LogStore, { key, value }: Step): void {
  if (value) store.set(key, value);
  else store.delete(key);
}

function text(value: Uint8Array | undefined): string {
  return value?.length ? Buffer.from(value).toString("hex") : "";
}

/** Runs the workload with the power cut at operation `cut`; says what is wrong after opening again, if anything. */
function cutRun(
  steps: Step[],
  cut: number,
  seed: number,
  checksum?: Checksum,
): { finished: boolean; wrong?: string } {
  const nor = NorFlash.open({ size: SECTORS * 4096 });
  const expected = new Map<number, string>();
  const store = open(nor, checksum);
  nor.cutAfter(cut, seed + cut);
  let pending: Step | undefined;
  try {
    for (pending of steps) {
      apply(store, pending);
      expected.set(pending.key, text(pending.value));
    }
    pending = undefined;
  } catch (error) {
    if (!(error instanceof PowerCut)) return { finished: false, wrong: String(error) };
  }
  nor.cutAfter(undefined);
  const again = open(nor, checksum);
  for (let key = 1; key <= 10; key += 1) {
    const found = text(again.get(key));
    const old = expected.get(key) ?? "";
    const fresh = pending?.key === key ? text(pending.value) : old;
    if (found !== old && found !== fresh)
      return { finished: !pending, wrong: `key ${key} after a cut at ${cut}` };
    expected.set(key, found);
  }
  // And it goes on working, also through the next compactions.
  for (const step of steps) {
    apply(again, step);
    expected.set(step.key, text(step.value));
  }
  const last = open(nor, checksum);
  for (const [key, value] of expected)
    if (text(last.get(key)) !== value)
      return { finished: !pending, wrong: `key ${key} later, after a cut at ${cut}` };
  return { finished: !pending };
}

function cutEverywhere(seed: number, checksum?: Checksum): { cuts: number; wrong: string[] } {
  const steps = workload(seed, 90);
  const wrong: string[] = [];
  for (let cut = 1; ; cut += 1) {
    const run = cutRun(steps, cut, seed, checksum);
    if (run.wrong) wrong.push(run.wrong);
    if (run.finished) return { cuts: cut - 1, wrong };
  }
}

test("with the power cut at any operation each key holds the old or the new value", (t) => {
  for (const seed of [1, 2, 3]) {
    const { cuts, wrong } = cutEverywhere(seed);
    t.deepEqual(wrong, [], `seed ${seed}`);
    t.true(cuts > 150, `seed ${seed}: only ${cuts} operations`);
  }
});

test("without its CRC the store fails that same test", (t) => {
  const { wrong } = cutEverywhere(1, () => 0);
  t.true(wrong.length > 10, `only ${wrong.length} cuts went wrong`);
});

test("cut again and again in the same compaction it still has room", (t) => {
  const steps = workload(7, 400);
  const nor = NorFlash.open({ size: SECTORS * 4096 });
  const chance = seeded(8);
  const expected = new Map<number, string>();
  let cuts = 0;
  for (const step of steps) {
    for (let tries = 0; ; tries += 1) {
      nor.cutAfter(tries < 12 ? 1 + Math.floor(chance() * 4) : undefined, cuts);
      try {
        apply(open(nor), step);
        break;
      } catch (error) {
        t.true(error instanceof PowerCut, String(error));
        cuts += 1;
      }
    }
    expected.set(step.key, text(step.value));
  }
  nor.cutAfter(undefined);
  const store = open(nor);
  for (const [key, value] of expected) t.is(text(store.get(key)), value, `key ${key}`);
  t.true(cuts > 300, `only ${cuts} cuts`);
});

test("any flash content whatever opens, and the store works on it", (t) => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const chance = seeded(seed);
    const nor = NorFlash.open({ size: SECTORS * 4096 });
    const before = open(nor);
    for (const step of workload(seed, 60)) apply(before, step);
    const sectors = seed % 3 === 0 ? SECTORS : 1 + Math.floor(chance() * 2);
    for (let i = 0; i < sectors; i += 1) {
      const sector = Math.floor(chance() * SECTORS) * 4096;
      const content = nor.read(sector, 4096);
      const flips = seed % 3 === 0 ? 4096 : 1 + Math.floor(chance() * 20);
      for (let flip = 0; flip < flips; flip += 1)
        content[Math.floor(chance() * 4096)] = Math.floor(chance() * 256);
      nor.erase(sector);
      nor.program(sector, content);
    }
    const store = open(nor);
    for (let key = 1; key <= 31; key += 1) store.get(key);
    for (let key = 1; key <= 12; key += 1) store.set(key, Uint8Array.of(key, seed));
    const again = open(nor);
    for (let key = 1; key <= 12; key += 1)
      t.deepEqual(again.get(key), Uint8Array.of(key, seed), `seed ${seed}`);
  }
});

test("erases are few and spread over the sectors", (t) => {
  const nor = NorFlash.open({ size: 16 * 4096 });
  const store = open(nor);
  store.set(20, bytes(1000, seeded(1))); // what never changes
  const value = new Uint8Array(40);
  for (let i = 0; i < 20_000; i += 1) {
    new DataView(value.buffer).setUint32(0, i);
    store.set(1 + (i % 4), value);
  }
  const counts = [...nor.eraseCounts];
  const total = counts.reduce((sum, count) => sum + count, 0);
  t.true(total <= 20_000 / 80, `${total} erases for 20000 writes of 48 bytes`);
  t.true(Math.max(...counts) <= (total / 16) * 1.5, counts.join(" "));
});

test("what is in flash already is not written again", (t) => {
  const nor = NorFlash.open({ size: 16 * 4096 });
  open(nor).set(3, Uint8Array.of(1, 2, 3));
  const { programs } = nor.operations;
  open(nor).set(3, Uint8Array.of(1, 2, 3));
  open(nor).delete(4);
  t.is(nor.operations.programs, programs);
});

test("tended, it begins the next sector before it has to, and only then", (t) => {
  const nor = NorFlash.open({ size: 16 * 4096 });
  const store = open(nor);
  store.tend();
  t.is(nor.operations.erases, 0);
  for (let key = 1; key <= 3; key += 1) store.set(key, new Uint8Array(900).fill(key));
  store.tend();
  t.is(nor.operations.erases, 1, "there is room for one more of the largest");
  store.set(4, new Uint8Array(900).fill(4));
  store.tend();
  store.tend();
  t.is(nor.operations.erases, 2);
  t.deepEqual(open(nor).get(3), new Uint8Array(900).fill(3));
});

test("limits are named", (t) => {
  const store = open(NorFlash.open({ size: 4 * 4096 }));
  t.throws(() => store.set(1, new Uint8Array(MAX_VALUE + 1)), { code: "value-too-long" });
  t.throws(() => store.set(0, new Uint8Array(1)), { instanceOf: RangeError });
  t.throws(() => store.set(32, new Uint8Array(1)), { instanceOf: RangeError });
  t.throws(() => open(NorFlash.open({ size: 3 * 4096 })), { code: "store-too-small" });
  const fill = () => {
    for (let key = 1; key <= 31; key += 1) store.set(key, bytes(MAX_VALUE, seeded(key)));
  };
  t.throws(fill, { code: "store-full" });
});

test("a length that decayed does not let a value pass for a record", (t) => {
  const inner = NorFlash.open({ size: 4 * 4096 });
  new LogStore({ flash: flashRegion(inner) }).set(9, Uint8Array.of(1, 2, 3, 4));
  const record = inner.read(12, 12); // behind the sector's header
  const nor = NorFlash.open({ size: 4 * 4096 });
  new LogStore({ flash: flashRegion(nor) }).set(8, Uint8Array.of(...record, ...new Uint8Array(20)));
  nor.program(12 + 2, Uint8Array.of(0)); // 32 bytes become none: the next record seems to begin inside the value
  const store = new LogStore({ flash: flashRegion(nor) });
  t.is(store.get(9), undefined);
  store.set(9, Uint8Array.of(5));
  t.deepEqual(new LogStore({ flash: flashRegion(nor) }).get(9), Uint8Array.of(5));
});
