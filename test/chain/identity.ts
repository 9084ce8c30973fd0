// When two runs did the same to the store.

import { INTENTION } from "../../firmware/store/keys.js";

/** The uptime is written down by the clock, between whatever else is written: that alone makes no other trace. */
export function identityOf(trace: readonly string[]): string {
  return trace
    .filter((operation) => operation !== `H${INTENTION}` && operation !== `V${INTENTION}`)
    .join(" ");
}
