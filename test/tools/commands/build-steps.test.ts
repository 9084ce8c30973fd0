// How far a long build is, for a terminal and for a log.

import test from "ava";
import { mock } from "node:test";
import { BuildSteps } from "../../../tools/commands/build-steps.js";

function rig(tty: boolean) {
  const written: string[] = [];
  const logged: string[] = [];
  const screen = {
    tty,
    write: (text: string) => void written.push(text),
    log: (text: string) => void logged.push(text),
  };
  return { steps: new BuildSteps(screen), written, logged };
}

test.before(() => mock.timers.enable({ apis: ["setInterval", "Date"] }));
test.after.always(() => mock.timers.reset());

test("without a terminal there is a line every half minute, even where nothing is said, and none after the end", (t) => {
  const { steps, written, logged } = rig(false);
  steps.step("cc xsAll.c");
  mock.timers.tick(29_000);
  t.deepEqual(logged, []);
  mock.timers.tick(1_000);
  steps.step("ESP-IDF 9 of 866: building a.c.obj");
  mock.timers.tick(30_000);
  mock.timers.tick(30_000);
  steps.end();
  mock.timers.tick(60_000);
  t.deepEqual(logged, [
    "  30 s, step 1: cc xsAll.c",
    "  60 s, step 2: ESP-IDF 9 of 866: building a.c.obj",
    "  90 s, step 2: ESP-IDF 9 of 866: building a.c.obj",
  ]);
  t.deepEqual(written, []);
});

test("on a terminal one line changes, never longer than it, and is gone at the end", (t) => {
  const { steps, written, logged } = rig(true);
  steps.step("x".repeat(200));
  mock.timers.tick(60_000);
  steps.end();
  t.is(written.length, 2);
  t.true(written[0]!.startsWith("\r\x1b[K1  xxx"));
  t.true(written[0]!.length < 80);
  t.is(written[1], "\r\x1b[K");
  t.deepEqual(logged, []);
});
