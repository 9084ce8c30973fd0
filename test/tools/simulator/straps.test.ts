// EN and IO0 behind DTR and RTS: which sequences reset, which select download mode, and how slow they may be.

import test from "ava";
import { Clock } from "../../../tools/simulator/clock.js";
import { Straps } from "../../../tools/simulator/straps.js";
import { pass } from "../../support/stepped.js";

/** D/R = DTR/RTS with 0 or 1, a number = milliseconds. */
function play(sequence: string): string {
  const events: string[] = [];
  const clock = new Clock({ mode: "stepped" });
  const straps = new Straps(
    {
      onHold: () => events.push("hold"),
      onRelease: (download) => events.push(download ? "download" : "app"),
    },
    clock,
  );
  let lines = { dtr: false, rts: false };
  for (const step of sequence.split(" ")) {
    if (/^\d+$/.test(step)) pass(clock, Number(step));
    for (const [, line, level] of step.matchAll(/([DR])([01])/g)) {
      lines = line === "D" ? { ...lines, dtr: level === "1" } : { ...lines, rts: level === "1" };
    }
    if (/[DR]/.test(step)) straps.set(lines);
  }
  straps.close();
  clock.close();
  return events.join(" ");
}

for (const [name, sequence, expected] of [
  ["a pulse on EN starts the app", "R1 10 R0 60", "hold app"],
  ["the classic sequence starts the ROM", "D0 R1 30 D1 R0 60 D0", "hold download"],
  ["the same with both lines changed at once", "D0R0 D1R1 D0R1 30 D1R0 60 D0R0", "hold download"],
  ["the same with RTS let go before DTR is set", "D0 R1 30 R0 D1 60 D0", "hold download"],
  [
    "the same over a slow network, a line change every 60 ms",
    "D0 60 R1 60 D1 60 R0 60 D0 60",
    "hold download",
  ],
  ["both lines asserted, as a driver does on open, is nothing", "D1R1 60 D0R0 60", ""],
  ["DTR alone is nothing", "D1 60 D0 60", ""],
  ["both lines asserted for long after a reset let the app start", "R1 10 D1 600", "hold app"],
  ["a second pulse while EN still rises is one reset", "R1 5 R0 5 R1 5 R0 60", "hold app"],
] as const) {
  test(name, (t) => {
    t.is(play(sequence), expected);
  });
}
