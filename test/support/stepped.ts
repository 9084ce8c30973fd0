// Letting time pass on a stepped clock: to the moment, however busy the machine is.

import type { Clock } from "../../tools/simulator/clock.js";

export function pass(clock: Clock, ms: number): void {
  let over = false;
  clock.set(ms, () => (over = true));
  while (!over) clock.step();
}

/** The same, with what was put off by promises and microtasks done at every moment. */
export async function passTurns(clock: Clock, ms: number): Promise<void> {
  let over = false;
  clock.set(ms, () => (over = true));
  while (!over) {
    clock.step();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
