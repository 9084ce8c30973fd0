// What the stages of the demo share: where its files are, which processes run, what is known so far.

import type { Engine } from "../engine/engine.js";
import type { Context } from "../verb.js";
import type { Admin } from "./admin.js";
import type { Service } from "./child.js";
import type { UartLog } from "./uart-log.js";

export interface Demo {
  readonly context: Context;
  /** Of the board, as users write it. */
  readonly chip: string;
  /** A folder of this run alone: keys, database, flash, images, logs. */
  readonly folder: string;
  readonly uart: UartLog;
  /** Shows what is going on, below the line of the running stage. */
  note(text: string): void;
  engine?: Engine;
  server?: Service;
  board?: Service;
  /** What went over the air: `broome sim --capture`. */
  capture?: string;
  admin?: Admin;
  image?: string;
  /** What `build` made of 1.0.0, and where it goes. */
  parts?: readonly { readonly path: string; readonly offset: number; readonly size: number }[];
  deviceId?: string;
  token?: string;
  /** What 1.0.1 calls the reading that it renames. */
  renamed?: string;
  /** Builds of 1.0.1 and 1.0.2, under way while the board boots. */
  variants?: Record<string, Promise<Record<string, unknown>>>;
  /** What the summary and --json report besides the stages. */
  readonly facts: {
    telemetry?: { accepted: number; duplicate: number; replayRejected: number };
    ota?: { from: string; to: string; confirmed: boolean };
    rollback?: { from: string; rejected: string; to: string; reason: string };
  };
}

export interface Stage {
  readonly name: string;
  /** Resolves to the figures of the stage; `text` is its line for people. */
  run(demo: Demo): Promise<Record<string, unknown> & { text: string }>;
}

/** A part that an earlier stage must have set. */
export function need<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new Error(`the stage before did not leave ${what}`);
  return part;
}
