// A process that runs cases, one at a time, as its parent asks by messages; it says something after every run.

import { cases, nameOf, restoredMs, type Case } from "./matrix.js";
import { faultsOf } from "./judge.js";
import { ChainRig } from "./rig.js";
import type { Run } from "./running.js";

/** To the worker. */
export interface Job {
  /** Of the case in `cases`. */
  index: number;
  /** None: the whole run is judged. Else only those with a power cut in that operation are. */
  cuts: number[];
}

/** From the worker: one for a whole run, or one for each cut. */
export interface Outcome {
  name: string;
  /** What is wrong. */
  faults: string[];
  /** What the UART said last, where something is. */
  said: string | undefined;
  /** See `StoreWatch`. */
  trace: string[];
  /** World time from the router's return, or from the start, to being online. */
  backMs: number | undefined;
  onlineMs: number | undefined;
  /** Of each sector of the store. */
  erases: number[];
}

const SAID = 3_000; // characters

const [folder] = process.argv.slice(2);
const rig = await ChainRig.open(folder!);
process.on("message", (job: Job) => void take(job));
process.on("disconnect", () => process.exit(0));
process.send!("ready");

async function take({ index, cuts }: Job): Promise<void> {
  const one = cases[index]!;
  const whole = await rig.run(one, { all: cuts.length > 0 });
  if (cuts.length === 0) process.send!(outcomeOf(one, nameOf(one), whole, faultsOf(one, whole)));
  for (const at of cuts) {
    const run = await rig.run(one, { cutAt: at });
    const name = `${nameOf(one)} cut=${at} of ${whole.trace.length}`;
    process.send!(outcomeOf(one, name, run, faultsOf(one, run, { at, whole })));
  }
}

function outcomeOf(one: Case, name: string, run: Run, faults: string[]): Outcome {
  const { said, trace, onlineMs, erases } = run;
  const restored = restoredMs(one);
  return {
    ...{ name, faults, onlineMs, erases, trace },
    said: faults.length > 0 ? said.slice(-SAID) : undefined,
    backMs: onlineMs !== undefined && onlineMs > restored ? onlineMs - restored : undefined,
  };
}
