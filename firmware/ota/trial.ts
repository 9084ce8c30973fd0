// A new image proves itself or goes back (DESIGN.md, decision 10); and what an old image finds after one that did not.

import type { Slots, System, Timer } from "../device/types.js";
import type { Log } from "../protocol/log-line.js";
import { defaultValues, numberDefault } from "../store/defaults-record.js";
import { getCount, setCount } from "../store/json-record.js";
import { MINIMUM_SC } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import { restartFor } from "../telemetry/causes.js";
import type { Cause, Start } from "../telemetry/causes.js";
import { loadMemory, saveFailure, saveMemory } from "./memory.js";
import type { OtaMemory } from "./memory.js";
import type { OtaStatus } from "./status.js";
import type { ImageConfig } from "./updater.js";

const UPTIME_MS = 60_000;
const DEADLINE_MS = 300_000;
/** A trial that a power cut ended is begun again at most this often. */
const MAX_REARMS = 3;

export interface TrialOptions {
  slots: Slots | undefined;
  system: System;
  timer: Timer;
  store: LogStore;
  config: ImageConfig;
  log: Log;
}

/** Causes that say nothing against the image that ran: its power went. */
const INNOCENT: readonly Cause[] = ["power-on", "brownout", "user"];

/**
 * To be called once, before anything is said about the start: a trial that the bootloader ended shows as cause `rollback`, or is
 * begun again, which restarts.
 */
export function reviewStart(options: TrialOptions, start: Start): Start {
  const { slots, store, config } = options;
  const memory = loadMemory(store);
  if (!slots || isOnTrial(slots) || (memory.s !== "selected" && memory.s !== "trial")) return start;
  if (memory.o.v === config.version) {
    saveMemory(store, { ...memory, s: "confirmed" }); // a power cut between the slot's mark and ours
    return start;
  }
  const state = slots.other()?.state;
  if (memory.s === "selected" && state === "empty") {
    saveMemory(store, { ...memory, s: "installing" }); // a power cut before it was selected
    return start;
  }
  if (state === "aborted" && INNOCENT.includes(start.cause) && memory.n < MAX_REARMS)
    rearm(options, slots, memory, start.cause);
  const reason = state === "aborted" ? `ended by ${start.cause}` : `not booted: ${state}`;
  saveFailure(store, memory, reason);
  return { ...start, cause: "rollback", note: reason };
}

function rearm(options: TrialOptions, slots: Slots, memory: OtaMemory, cause: Cause): void {
  const { store, system, log } = options;
  log("ota", `state=trial percent=100 version=${memory.o.v} reason=again after ${cause}`);
  saveMemory(store, { ...memory, s: "selected", n: memory.n + 1 });
  try {
    slots.rearmOther();
  } catch (error) {
    log("ota", `not begun again: ${(error as Error).message}`, "W");
    return;
  }
  restartFor(store, system, "ota", `again after ${cause}`);
}

export function isOnTrial(slots: Slots): boolean {
  const { state } = slots.running();
  return state === "pending-verify" || state === "new";
}

/** The running image's trial, or what is known of the last one. */
export class Trial {
  private readonly options: TrialOptions;
  private readonly status: OtaStatus;
  private uptimeMs = UPTIME_MS;
  private bound = false;
  private deadline: unknown;
  /** Why no reply came so far: goes into the reason if none ever does. */
  lastFailure = "";
  onTrial = false;

  constructor(options: TrialOptions, status: OtaStatus) {
    this.options = options;
    this.status = status;
  }

  /** Says how things stand, and starts the clocks of a trial. */
  begin(): void {
    const { slots, store, config, timer, system } = this.options;
    if (!slots) return;
    const memory = loadMemory(store);
    const version = memory.o.v;
    if (!isOnTrial(slots)) {
      if (memory.s === "failed") this.status.set("rolled-back", { version, reason: memory.r });
      else if (memory.s === "confirmed" && version === config.version)
        this.status.set("confirmed", { version });
      else if (memory.s === "") this.status.set("idle", { version: config.version });
      return;
    }
    this.onTrial = true;
    saveMemory(store, { ...memory, s: "trial", o: { ...memory.o, v: config.version } });
    const values = defaultValues(store);
    this.uptimeMs = numberDefault(values, "trial.uptimeMs", UPTIME_MS);
    const deadlineMs = numberDefault(values, "trial.deadlineMs", DEADLINE_MS);
    this.status.set("trial", { version: config.version });
    this.deadline = timer.set(
      () => this.reject(`no bound reply within ${deadlineMs} ms`),
      deadlineMs - system.uptimeMs(),
    );
    timer.set(() => this.check(), Math.max(0, this.uptimeMs - system.uptimeMs()));
  }

  /** A reply bound to a request of this run came. */
  onBoundReply(): void {
    this.bound = true;
    if (this.onTrial) this.check();
  }

  private check(): void {
    const { slots, store, config, timer, system } = this.options;
    if (!this.onTrial || !this.bound || system.uptimeMs() < this.uptimeMs) return;
    timer.clear(this.deadline);
    this.onTrial = false;
    slots!.markValid();
    saveMemory(store, { ...loadMemory(store), s: "confirmed", n: 0 });
    setCount(store, MINIMUM_SC, Math.max(getCount(store, MINIMUM_SC), config.sc));
    this.status.set("confirmed", { version: config.version });
  }

  private reject(why: string): void {
    const { slots, store, system, log } = this.options;
    if (this.bound) return; // it only has to stay up a little longer
    const reason = this.lastFailure ? `${why}: ${this.lastFailure}` : why;
    saveFailure(store, loadMemory(store), reason);
    this.status.set("failed", { version: this.options.config.version, reason });
    try {
      slots!.markInvalid();
    } catch (error) {
      this.onTrial = false;
      log("ota", `nothing to go back to: ${(error as Error).message}`, "E");
      return;
    }
    restartFor(store, system, "rollback", reason);
  }
}
