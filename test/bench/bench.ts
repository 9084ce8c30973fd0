// What a bench is: it measures, compares with the targets that it states, and gives its figures.

export interface Bench {
  readonly name: string;
  /** Figures for the JSON line; `ok` is false where a target that the bench states is missed. */
  run(say: (text: string) => void): Promise<Record<string, unknown> & { ok: boolean }>;
}

/** The middle one of the durations of several runs, in ms. */
export async function medianMs(runs: number, what: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    await what();
    all.push(performance.now() - started);
  }
  return Math.round(all.sort((a, b) => a - b)[Math.floor(runs / 2)]!);
}
