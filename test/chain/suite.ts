// The whole proof: every case of the matrix, then power cuts at every operation of every distinct trace of the store.

import { INTENTION } from "../../firmware/store/keys.js";
import { seededRandom, type Random } from "../support/random.js";
import { faultsOf } from "./judge.js";
import { cases, nameOf, restoredMs, type Case } from "./matrix.js";
import { ChainRig, type Run } from "./rig.js";

export interface SuiteOptions {
  /** Share of the power cuts that are tried, chosen by the seed; 0 to 1. */
  cuts: number;
  /** Only the cases whose names match. */
  only?: RegExp;
  /** Runs at a time. */
  parallel: number;
  /** After so much real time no further case is begun, and no cut after a third more; what was left out is counted as skipped. */
  budgetMs?: number;
  say(text: string): void;
}

export interface SuiteResult {
  cases: number;
  failed: number;
  skipped: number;
  seed: number;
  ms: number;
  traces: number;
  cuts: number;
  /** World time from the router's return to being online, over the cases that were waiting for it. */
  backMs: { p50: number; p95: number; max: number };
  /** Most erases of one sector of the store in one run. */
  mostErases: number;
  failures: string[];
}

interface Traced {
  one: Case;
  run: Run;
}

export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const started = Date.now();
  const random = seededRandom(started);
  const rig = await ChainRig.open();
  const failures: string[] = [];
  const note = (name: string, faults: string[], run: Run) => {
    if (faults.length === 0) return;
    failures.push(`${name}: ${faults.join("; ")}`);
    options.say(`${name}: ${faults.join("; ")}\n${run.said.slice(-3000)}`);
  };
  try {
    const chosen = cases.filter((one) => options.only?.test(nameOf(one)) ?? true);
    if (options.budgetMs !== undefined) shuffle(chosen, random);
    const { budgetMs = Infinity } = options;
    const begun = Date.now(); // the build is not counted
    let ran = 0;
    const traces = new Map<string, Traced>();
    const back: number[] = [];
    let mostErases = 0;
    await inParallel(chosen, options.parallel, async (one) => {
      if (Date.now() - begun > budgetMs) return;
      ran += 1;
      const run = await rig.run(one);
      note(nameOf(one), faultsOf(one, run), run);
      const key = identityOf(run.trace);
      if (!traces.has(key)) traces.set(key, { one, run });
      const waitedMs = (run.onlineMs ?? 0) - restoredMs(one);
      if (restoredMs(one) > 0 && waitedMs > 0) back.push(waitedMs);
      mostErases = Math.max(mostErases, ...run.erases);
    });
    options.say(
      `${ran} of ${chosen.length} cases, ${traces.size} distinct traces, ${Date.now() - started} ms`,
    );
    const all = [...traces.values()].flatMap(({ one, run }) =>
      run.trace.map((_, i) => ({ one, run, at: i + 1 })),
    );
    const wanted =
      options.cuts >= 1 ? all : all.filter(() => random.below(1_000_000) < options.cuts * 1_000_000);
    let done = 0;
    await inParallel(wanted, options.parallel, async ({ one, run: whole, at }) => {
      if (Date.now() - begun > (budgetMs * 4) / 3) return;
      const run = await rig.run(one, at);
      note(`${nameOf(one)} cut=${at} of ${whole.trace.length}`, faultsOf(one, run, { at, whole }), run);
      mostErases = Math.max(mostErases, ...run.erases);
      done += 1;
    });
    back.sort((a, b) => a - b);
    const share = (part: number) => Math.round(back[Math.floor((back.length - 1) * part)] ?? 0);
    return {
      cases: ran + done,
      failed: failures.length,
      skipped: chosen.length - ran + wanted.length - done,
      seed: random.seed,
      ms: Date.now() - started,
      ...{ traces: traces.size, cuts: done, mostErases, failures },
      backMs: { p50: share(0.5), p95: share(0.95), max: share(1) },
    };
  } finally {
    rig.close();
  }
}

/** The uptime is written down by the clock, between whatever else is written: that alone makes no other trace. */
function identityOf(trace: readonly string[]): string {
  return trace
    .filter((operation) => operation !== `H${INTENTION}` && operation !== `V${INTENTION}`)
    .join(" ");
}

function shuffle<T>(items: T[], random: Random): void {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.slice();
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
