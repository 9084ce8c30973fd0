// Worker processes that share a list of jobs. One that says nothing for long is ended, and its job has failed.

import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { availableParallelism, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Job, Outcome } from "./worker.js";

/** Real time between two messages: a run takes a tenth of a second. */
const SILENCE_MS = 120_000;
const worker = fileURLToPath(new URL("worker.ts", import.meta.url));

export interface PoolOptions {
  /** Of `buildFirmware`. */
  folder: string;
  parallel: number;
  /** Whatever else the machine has to do comes first. */
  nice: boolean;
}

export class Pool {
  private readonly options: PoolOptions;
  private readonly workers: Worker[];

  constructor(options: PoolOptions) {
    this.options = options;
    this.workers = Array.from({ length: options.parallel }, (_, number) => new Worker(options, number));
  }

  /**
   * Does all jobs, in about their order; every outcome is told as it comes, or what became of the worker. None is begun after
   * `until` (of `Date.now`).
   */
  async run(
    jobs: readonly Job[],
    until: number,
    onOutcome: (outcome: Outcome | string, job: Job) => void,
  ): Promise<void> {
    const left = jobs.slice();
    const next = () => (Date.now() < until ? left.shift() : undefined);
    await Promise.all(
      this.workers.map(async (_, number) => {
        for (let job = next(); job; job = next()) {
          const current = job;
          const lost = await this.workers[number]!.run(job, (outcome) => onOutcome(outcome, current));
          if (lost === undefined) continue;
          onOutcome(lost, job);
          this.workers[number] = new Worker(this.options, number);
        }
      }),
    );
  }

  close(): void {
    for (const one of this.workers) one.close();
  }
}

class Worker {
  private readonly child: ChildProcess;
  private readonly ready: Promise<void>;

  constructor({ folder, nice }: PoolOptions, number: number) {
    this.child = fork(worker, [folder], { execArgv: ["--import=tsx"] });
    const { pid } = this.child;
    if (pid !== undefined) settle(pid, number);
    if (nice && pid !== undefined) setPriority(pid, 10);
    this.ready = new Promise((resolve, reject) => {
      this.child.once("message", () => resolve());
      this.child.once("exit", (code) => reject(new Error(`a worker ended with ${code} before it began`)));
    });
  }

  /** Undefined when all outcomes came; else what became of it. */
  async run({ index, cuts }: Job, onOutcome: (outcome: Outcome) => void): Promise<string | undefined> {
    await this.ready;
    let awaited = Math.max(1, cuts.length);
    return new Promise((resolve) => {
      const end = (lost?: string) => {
        clearTimeout(timeout);
        this.child.off("message", take).off("exit", exit);
        if (lost !== undefined) this.close();
        resolve(lost);
      };
      const take = (outcome: Outcome) => {
        timeout.refresh();
        onOutcome(outcome);
        awaited -= 1;
        if (awaited === 0) end();
      };
      const exit = (code: number | null) => end(`the worker ended with ${code}`);
      const timeout = setTimeout(() => end(`nothing for ${SILENCE_MS} ms`), SILENCE_MS);
      this.child.on("message", take).on("exit", exit);
      this.child.send({ index, cuts } satisfies Job);
    });
  }

  close(): void {
    this.child.removeAllListeners();
    this.child.kill("SIGKILL");
  }
}

/**
 * A worker and its machine wait for each other thousands of times in a run: on one processor that is a change of tasks, over
 * two a wake-up of the other one each time. Where the system has no `taskset` it takes longer, and nothing else.
 */
function settle(pid: number, number: number): void {
  const processor = number % availableParallelism();
  spawnSync("taskset", ["-a", "-p", "-c", String(processor), String(pid)], { stdio: "ignore" });
}
