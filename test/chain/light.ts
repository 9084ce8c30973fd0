// What the LED tells a person who has nothing else (README.md, "First start"), and whether that is so.

import type { Run } from "./running.js";

/** Two seconds of the LED, a sign a quarter of a second. */
const PATTERNS = { pass: "#.#.#.#.", waiting: "#.#.....", online: "########" };
const QUARTER_MS = 250;

type State = keyof typeof PATTERNS;

/**
 * What the board does at the end, by what it said since its last start: it looks for a network, waits for somebody, is on line.
 * And since when, in world time.
 */
function stateOf({ said, onlineMs }: Run): [state: State, sinceMs: number] {
  const [, on = "0", start = ""] = /.*--- power-on at (\d+)([^]*)/s.exec(said) ?? [];
  /** World time of the line that begins before `at`. */
  const timeOf = (at: number) =>
    Number(on) + Number(/.*\((\d+)\)/s.exec(start.slice(0, Math.max(0, at)))?.[1] ?? 0);
  if (onlineMs !== undefined) return ["online", timeOf(start.lastIndexOf("wifi: address "))];
  const lost = start.lastIndexOf("wifi: connection lost");
  const lineOf = (step: string) => start.indexOf(`chain: step=${step} `, Math.max(0, lost));
  const steps = [lineOf("stored"), lineOf("defaults")];
  return steps.includes(-1) ? ["pass", timeOf(lost)] : ["waiting", timeOf(Math.max(...steps))];
}

/** The last two seconds of a run. */
function patternOf({ light, endMs }: Run): string {
  const at = (ms: number) => light.findLast(([since]) => since <= ms)?.[1] ?? false;
  const places = Array.from(
    PATTERNS.online,
    (_, index) => endMs - (PATTERNS.online.length - index) * QUARTER_MS,
  );
  return places.map((ms) => (at(ms) ? "#" : ".")).join("");
}

/** The LED says what the board does; it matters not where in its pattern the run ended. */
export function wrongLight(run: Run): string[] {
  const [state, sinceMs] = stateOf(run);
  if (run.endMs - sinceMs < (PATTERNS.online.length + 1) * QUARTER_MS) return []; // it has not had the time to
  const pattern = patternOf(run);
  return (PATTERNS[state] + PATTERNS[state]).includes(pattern)
    ? []
    : [`the LED says ${pattern} and not "${state}"`];
}
