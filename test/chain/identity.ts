// When two runs did the same to the store, and when two power cuts meet the same.

import { INTENTION } from "../../firmware/store/keys.js";

/** The uptime is written down by the clock, between whatever else is written: that alone makes no other trace. */
export function identityOf(trace: readonly string[]): string {
  return trace
    .filter((operation) => operation !== `H${INTENTION}` && operation !== `V${INTENTION}`)
    .join(" ");
}

/**
 * The power cuts to be made in each of several traces, by their numbers from 1: every operation of all of them, and where
 * traces begin alike, what they share in one of them, in turn.
 */
export function cutsOf(traces: readonly (readonly string[])[]): number[][] {
  const sharing = new Map<string, [trace: number, at: number][]>();
  traces.forEach((trace, index) =>
    trace.forEach((operation, before) => {
      const key = `${identityOf(trace.slice(0, before))}|${operation}`;
      const all = sharing.get(key) ?? [];
      if (all.at(-1)?.[0] !== index) all.push([index, before + 1]); // notes of the uptime may follow each other
      sharing.set(key, all);
    }),
  );
  const cuts = traces.map((): number[] => []);
  [...sharing.values()].forEach((all, number) => {
    const [index, at] = all[number % all.length]!;
    cuts[index]!.push(at);
  });
  return cuts.map((list) => list.sort((a, b) => a - b));
}
