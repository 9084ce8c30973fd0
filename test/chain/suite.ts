// The whole proof: every case of the matrix, then power cuts at every operation of every distinct trace of the store.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom, type Random } from "../support/random.js";
import { cutsOf, identityOf } from "./identity.js";
import { cases, nameOf, restoredMs } from "./matrix.js";
import { Pool } from "./pool.js";
import { buildFirmware } from "./rig.js";
import type { Job, Outcome } from "./worker.js";

export interface SuiteOptions {
  /** Share of the power cuts that are tried, chosen by the seed; 0 to 1. */
  cuts: number;
  /** Only the cases whose names match. */
  only?: RegExp;
  /** Processes. */
  parallel: number;
  /** Whatever else the machine has to do comes first. */
  nice?: boolean;
  /** After so much real time no further job is begun; the cases come in an order of the seed then. Default: all are done. */
  budgetMs?: number;
  say(text: string): void;
}

const PROGRESS_MS = 60_000; // of real time
/** So much of the budget is for the cases, the rest for the cuts. */
const CASES_SHARE = 2 / 3;

/** Of world time, in ms. */
interface Spread {
  p50: number;
  p95: number;
  max: number;
}

export interface SuiteResult {
  /** Runs without a cut, and with one. */
  cases: number;
  cuts: number;
  failed: number;
  /** Cases and cuts for which there was no time. */
  skipped: number;
  seed: number;
  ms: number;
  /** Distinct traces of the store, and their operations, those that several begin with counted once: so many cuts there are. */
  traces: number;
  operations: number;
  /** From the start to being online, where the router was there from the beginning. */
  onlineMs: Spread;
  /** From the router's return to being online, over the cases that were waiting for it. */
  backMs: Spread;
  /** Most erases in one run, of each sector of the store. */
  erases: number[];
  failures: string[];
}

export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "broome-chain-"));
  await buildFirmware(folder);
  const pool = new Pool({ folder, parallel: options.parallel, nice: options.nice ?? false });
  try {
    return await new Suite(options, pool, started).run();
  } finally {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Suite {
  private readonly options: SuiteOptions;
  private readonly pool: Pool;
  private readonly started: number;
  private readonly failures: string[] = [];
  private readonly erases: number[] = [];
  private lost = 0; // runs that ended with their worker

  constructor(options: SuiteOptions, pool: Pool, started: number) {
    this.options = options;
    this.pool = pool;
    this.started = started;
  }

  async run(): Promise<SuiteResult> {
    const random = seededRandom(this.started);
    const chosen = [...cases.keys()].filter(
      (index) => this.options.only?.test(nameOf(cases[index]!)) ?? true,
    );
    if (this.options.budgetMs !== undefined) shuffle(chosen, random);
    const outcomes = await this.matrix(chosen);
    const traces = distinct(outcomes);
    const all = cutsOf(traces.map(([, { trace }]) => trace));
    const operations = all.reduce((sum, { length }) => sum + length, 0);
    this.say(
      `${outcomes.size} of ${chosen.length} cases, ${traces.length} distinct traces, ${operations} operations to be cut`,
    );
    const { cuts: share } = this.options;
    const jobs = traces
      .map(([index], number) => {
        const some = all[number]!.filter(() => share >= 1 || random.below(1_000_000) < share * 1_000_000);
        return { index, cuts: some };
      })
      .filter(({ cuts }) => cuts.length > 0);
    const cuts = await this.cuts(jobs);
    const wanted = chosen.length + jobs.reduce((sum, { cuts }) => sum + cuts.length, 0);
    const skipped = wanted - outcomes.size - cuts - this.lost;
    const runs = [...outcomes];
    return {
      ...{ cases: outcomes.size, cuts, failed: this.failures.length, skipped, seed: random.seed },
      ...{ ms: Date.now() - this.started, traces: traces.length, operations },
      onlineMs: spread(runs.map(([i, { onlineMs }]) => (restoredMs(cases[i]!) === 0 ? onlineMs : undefined))),
      backMs: spread(runs.map(([i, { backMs }]) => (restoredMs(cases[i]!) > 0 ? backMs : undefined))),
      ...{ erases: this.erases, failures: this.failures },
    };
  }

  /** All outcomes of the jobs, with a word now and then: it takes minutes. */
  private async work(
    jobs: readonly Job[],
    share: number, // of the budget, by its end
    onOutcome: (outcome: Outcome, job: Job) => void,
  ): Promise<void> {
    const total = jobs.reduce((sum, { cuts }) => sum + Math.max(1, cuts.length), 0);
    let done = 0;
    const progress = setInterval(() => this.say(`${done} of ${total} runs`), PROGRESS_MS);
    try {
      const deadline = this.started + share * (this.options.budgetMs ?? Infinity);
      await this.pool.run(jobs, deadline, (outcome, job) => {
        done += 1;
        if (this.judge(outcome, job)) onOutcome(outcome, job);
      });
    } finally {
      clearInterval(progress);
    }
  }

  private async matrix(chosen: readonly number[]): Promise<Map<number, Outcome>> {
    const outcomes = new Map<number, Outcome>();
    const jobs = chosen.map((index) => ({ index, cuts: [] }));
    await this.work(jobs, CASES_SHARE, (outcome, job) => void outcomes.set(job.index, outcome));
    return outcomes;
  }

  private async cuts(jobs: readonly Job[]): Promise<number> {
    let done = 0;
    await this.work(jobs, 1, () => (done += 1));
    return done;
  }

  /** Notes what is wrong. False: the worker was lost. */
  private judge(outcome: Outcome | string, { index }: Job): outcome is Outcome {
    if (typeof outcome === "string") {
      this.lost += 1;
      this.fail(`${nameOf(cases[index]!)}: ${outcome}`);
      return false;
    }
    const { name, faults, said, erases } = outcome;
    if (faults.length > 0) this.fail(`${name}: ${faults.join("; ")}`, said);
    erases.forEach((count, sector) => (this.erases[sector] = Math.max(count, this.erases[sector] ?? 0)));
    return true;
  }

  private fail(failure: string, said = ""): void {
    this.failures.push(failure);
    this.options.say(`${failure}\n${said}`);
  }

  private say(text: string): void {
    this.options.say(`${text}; ${Date.now() - this.started} ms so far`);
  }
}

function shuffle<T>(items: T[], random: Random): void {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}

/** The first case of each trace. */
function distinct(outcomes: ReadonlyMap<number, Outcome>): [number, Outcome][] {
  const first = new Map<string, [number, Outcome]>();
  for (const [index, outcome] of [...outcomes].sort(([a], [b]) => a - b)) {
    const identity = identityOf(outcome.trace);
    if (!first.has(identity)) first.set(identity, [index, outcome]);
  }
  return [...first.values()];
}

function spread(values: readonly (number | undefined)[]): Spread {
  const sorted = values.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  const share = (part: number) => Math.round(sorted[Math.ceil(sorted.length * part) - 1] ?? 0);
  return { p50: share(0.5), p95: share(0.95), max: share(1) };
}
