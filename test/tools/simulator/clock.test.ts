// The world's clock: order of timers, and what a fast clock skips.

import test from "ava";
import { Clock } from "../../../tools/simulator/clock.js";

function fires(clock: Clock, ms: number): Promise<number> {
  return new Promise((resolve) => clock.set(ms, () => resolve(clock.now())));
}

test("a fast clock skips an hour in no time, and both clocks advance by it", async (t) => {
  const clock = new Clock({ mode: "fast", start: Date.parse("2026-01-01T00:00:00Z") });
  const began = performance.now();
  const now = await fires(clock, 3_600_000);
  const wall = performance.now() - began;
  t.true(now >= 3_600_000 && now < 3_660_000);
  t.true(wall < 60_000, `took ${wall} ms`);
  t.true(clock.skippedMs > 3_540_000);
  t.true(Math.abs(clock.date() - Date.parse("2026-01-01T01:00:00Z")) < 60_000);
  clock.close();
});

test("timers fire by their moment, and in the order in which they were set at the same one", async (t) => {
  const clock = new Clock({ mode: "fast" });
  const release = clock.hold();
  const fired: string[] = [];
  clock.set(20_000, () => fired.push("late")); // a busy machine takes some of it between two calls
  clock.set(5, () => fired.push("first"));
  clock.set(5_000, () => fired.push("b"));
  clock.set(5_000, () => fired.push("c"));
  release();
  await fires(clock, 30_000);
  t.deepEqual(fired, ["first", "b", "c", "late"]);
  clock.close();
});

test("a fast clock does not skip while it is held", async (t) => {
  const clock = new Clock({ mode: "fast" });
  const release = clock.hold();
  let fired = false;
  clock.set(60_000, () => (fired = true));
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.false(fired);
  t.is(clock.skippedMs, 0);
  release();
  release(); // twice does no harm
  await fires(clock, 60_001);
  t.true(fired);
  clock.close();
});

test("a timer that was cleared does not fire, not even by an earlier one of the same moment", async (t) => {
  const clock = new Clock({ mode: "fast" });
  const fired: string[] = [];
  const release = clock.hold();
  clock.set(10, () => {
    fired.push("a");
    clock.clear(second);
  });
  const second = clock.set(10, () => fired.push("b"));
  release();
  await fires(clock, 20);
  t.deepEqual(fired, ["a"]);
  clock.close();
});

test("a real clock takes its time, and use after close throws", async (t) => {
  const clock = new Clock({ mode: "real" });
  const began = performance.now();
  await fires(clock, 30);
  t.true(performance.now() - began >= 29);
  clock.close();
  clock.close();
  t.throws(() => clock.set(1, () => undefined), { message: /after close/ });
});

test("an exact timer is not early, keeps its place among the others, and is not asked about in vain", async (t) => {
  let steps = 0;
  const clock = new Clock({ mode: "real", onStep: () => (steps += 1) });
  const fired: string[] = [];
  const start = clock.now();
  clock.set(30, () => fired.push("late"));
  clock.set(6.5, () => fired.push("plain"));
  const at = await new Promise<number>((resolve) => {
    clock.setExact(7.25, () => {
      fired.push("exact");
      resolve(clock.now());
    });
  });
  t.true(at - start >= 7.25, `${at - start} ms`);
  clock.clear(clock.setExact(1, () => fired.push("cleared")));
  await fires(clock, 40);
  t.deepEqual(fired, ["plain", "exact", "late"]);
  t.true(steps <= 4, `${steps} steps`);
  clock.close();
});

test("a stepped clock moves only by steps, to the very moment of the next timer, whatever holds it", async (t) => {
  const clock = new Clock({ mode: "stepped", start: 0 });
  const fired: [string, number][] = [];
  clock.hold();
  clock.set(0.1, () => {
    fired.push(["a", clock.now()]);
    clock.set(0.2, () => fired.push(["c", clock.now()]));
  });
  clock.set(0.1, () => fired.push(["b", clock.now()]));
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual([clock.now(), clock.date(), fired], [0, 0, []]);
  t.true(clock.step());
  t.true(clock.step());
  t.false(clock.step());
  t.deepEqual(fired, [
    ["a", 0.1],
    ["b", 0.1],
    ["c", 0.1 + 0.2],
  ]);
  clock.close();
  const fast = new Clock({ mode: "fast" });
  t.false(fast.step());
  fast.close();
});
