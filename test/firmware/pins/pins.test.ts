// Virtual pins on the device: revisions, the trigger, reports; on a real store.

import test from "ava";
import { Pins } from "../../../firmware/pins/pins.js";
import type { Base } from "../../../firmware/store/base.js";
import { LogStore } from "../../../firmware/store/log-store.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { flashRegion } from "../store/flash-region.js";

function newBase(): Base & { lines: string[] } {
  const store = new LogStore({ flash: flashRegion(NorFlash.open({ size: 4 * 4096 })) });
  const lines: string[] = [];
  const log = (tag: string, text: string) => void lines.push(`${tag}: ${text}`);
  return { store, log, lines } as unknown as Base & { lines: string[] };
}

test("a raised trigger waits until its revision was carried, and until it is cleared, also over a restart", (t) => {
  const base = newBase();
  const pins = new Pins(base);
  pins.take([[5, 100, "1.0.1"]], 5);
  t.true(pins.triggered);
  t.is(pins.triggerAfter(4), undefined, "the request did not say 5 yet");
  const restarted = new Pins(base);
  t.is(restarted.revision, 5);
  t.is(restarted.triggerAfter(5), "1.0.1");
  restarted.clearTrigger();
  t.is(restarted.triggerAfter(5), undefined);
  t.false(new Pins(base).triggered);
  restarted.take([[5, 100, "1.0.1"]], 5);
  t.false(restarted.triggered, "a revision that was processed is not processed again");
});

for (const value of ["0", 0, "", "1".repeat(32)])
  test(`V100 at ${JSON.stringify(value)} takes the wish back, and is none itself`, (t) => {
    const base = newBase();
    const pins = new Pins(base);
    pins.take([[1, 100, value]], 1);
    t.false(pins.triggered);
    t.is(pins.triggerAfter(9), undefined);
    pins.take([[2, 100, "1"]], 2);
    pins.take([[3, 100, value]], 3);
    t.false(pins.triggered);
    t.false(new Pins(base).triggered);
    t.is(pins.revision, 3);
  });

test("a program that crashes on a value hears it once", (t) => {
  const base = newBase();
  const pins = new Pins(base);
  const heard: unknown[] = [];
  pins.on(1, (value) => {
    heard.push(value, new Pins(base).revision);
    throw new Error("crash");
  });
  pins.take([[7, 1, "on"]], 7);
  pins.take([[7, 1, "on"]], 7);
  t.deepEqual(heard, ["on", 7], "it is in the store before the program hears of it");
  t.deepEqual(base.lines, ["pins: V1: Error: crash"]);
});

test("the gadget has the pins below 100", (t) => {
  const pins = new Pins(newBase());
  t.throws(() => pins.write(100, 1), { instanceOf: RangeError });
  t.throws(() => pins.on(101, () => undefined), { instanceOf: RangeError });
  t.throws(() => pins.write(1, "x".repeat(65)));
  pins.write(1, 2);
  pins.write(1, 3);
  t.deepEqual(pins.reports(9), [[1, 3]]);
  const sent = pins.reports(9);
  pins.write(1, 4);
  pins.acknowledge(sent);
  t.deepEqual(pins.reports(9), [[1, 4]], "what replaced it meanwhile stays");
});
