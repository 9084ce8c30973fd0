// A new image proves itself or goes back (DESIGN.md, decision 10); and what an old image finds after one that did not.

import type { Slots } from "../device/types.js";
import type { Base } from "../store/base.js";
import type { Defaults } from "../format/defaults-block.js";
import { defaultValues, numberDefault } from "../store/defaults-record.js";
import { getCount, setCount } from "../store/json-record.js";
import { MINIMUM_SC } from "../store/keys.js";
import { restartFor } from "../telemetry/causes.js";
import type { Cause, Start } from "../telemetry/causes.js";
import { loadMemory, saveFailure, saveMemory } from "./memory.js";
import type { OtaMemory } from "./memory.js";
import type { OtaStatus } from "./status.js";

const UPTIME_MS = 60_000;
const DEADLINE_MS = 300_000;
/** A trial that a power cut ended is begun again at most this often. */
const MAX_REARMS = 3;

/** Causes that say nothing against the image that ran: its power went. */
const INNOCENT: readonly Cause[] = ["power-on", "brownout", "user"];

/**
 * To be called once, before anything is said about the start: a trial that the bootloader ended shows as cause `rollback`, or is
 * begun again: undefined, and the board restarts in a turn of its own.
 */
export function reviewStart(base: Base, start: Start): Start | undefined {
  const { store, config } = base;
  const { slots } = base.device;
  const memory = loadMemory(store);
  if (!slots || isOnTrial(slots) || (memory.s !== "selected" && memory.s !== "trial")) return start;
  if (memory.o.v === config.version) {
    confirm(base); // a power cut between the slot's mark and ours
    return start;
  }
  const state = slots.other()?.state;
  if (memory.s === "selected" && state === "empty") {
    saveMemory(store, { ...memory, s: "installing" }); // a power cut before it was selected
    return start;
  }
  // Empty: the power went while the bootloader, or the trial itself, rewrote the slot's mark.
  const cut = state === "aborted" || (state === "empty" && memory.s === "trial");
  if (cut && INNOCENT.includes(start.cause) && memory.n < MAX_REARMS) {
    base.device.timer.set(() => rearm(base, slots, memory, start.cause), 0); // a start is deep in the stack already
    return undefined;
  }
  const reason = state === "aborted" ? `ended by ${start.cause}` : `not booted: ${state}`;
  saveFailure(store, memory, reason);
  return { ...start, cause: "rollback", note: reason };
}

function rearm(base: Base, slots: Slots, memory: OtaMemory, cause: Cause): void {
  const { store, device, log } = base;
  log("ota", `state=trial percent=100 version=${memory.o.v} reason=again after ${cause}`);
  saveMemory(store, { ...memory, s: "selected", n: memory.n + 1 });
  try {
    if (slots.other()!.state === "aborted") slots.rearmOther();
    else slots.selectOther();
  } catch (error) {
    const reason = `not begun again: ${(error as Error).message}`;
    log("ota", reason, "W");
    saveFailure(store, memory, reason);
    restartFor(store, device.system, "rollback", reason);
  }
  restartFor(store, device.system, "ota", `again after ${cause}`);
}

/** The running image proved itself: from now on nothing with a lower security counter is taken. */
function confirm({ store, config }: Base): void {
  setCount(store, MINIMUM_SC, Math.max(getCount(store, MINIMUM_SC), config.sc));
  saveMemory(store, { ...loadMemory(store), s: "confirmed", n: 0 });
}

export function isOnTrial(slots: Slots): boolean {
  const { state } = slots.running();
  return state === "pending-verify" || state === "new";
}

/** The running image's trial, or what is known of the last one. */
export class Trial {
  /** Why no reply came so far: goes into the reason if none ever does. */
  lastFailure = "";
  private readonly base: Base;
  private readonly status: OtaStatus;
  private onTrial = false;
  private bound = false;
  private uptimeMs = UPTIME_MS;
  private deadline: unknown;

  constructor(base: Base, status: OtaStatus) {
    this.base = base;
    this.status = status;
  }

  /** Says how things stand, and starts the clocks of a trial. */
  begin(): void {
    const { store, config, device } = this.base;
    if (!device.slots) return;
    const memory = loadMemory(store);
    const { version } = config;
    this.status.cause = memory.c;
    if (isOnTrial(device.slots)) {
      saveMemory(store, { ...memory, s: "trial", o: { ...memory.o, v: version } });
      this.status.set("trial", { version });
      this.watch(defaultValues(store));
    } else if (memory.s === "failed")
      this.status.set("rolled-back", { version: memory.o.v, reason: memory.r });
    else if (memory.s === "confirmed" && memory.o.v === version) this.status.set("confirmed", { version });
    else if (memory.s !== "installing") this.status.set("idle", { version });
  }

  /** A reply bound to a request of this run came. */
  onBoundReply(): void {
    this.bound = true;
    if (this.onTrial) this.check();
  }

  private watch(values: Defaults): void {
    const { timer, system } = this.base.device;
    this.onTrial = true;
    this.uptimeMs = numberDefault(values, "trial.uptimeMs", UPTIME_MS);
    const deadlineMs = numberDefault(values, "trial.deadlineMs", DEADLINE_MS);
    const now = system.uptimeMs();
    const reject = () => this.reject(`no bound reply within ${deadlineMs} ms`);
    this.deadline = timer.set(reject, Math.max(0, deadlineMs - now));
    timer.set(() => this.check(), Math.max(0, this.uptimeMs - now));
  }

  private check(): void {
    const { config, device } = this.base;
    if (!this.onTrial || !this.bound || device.system.uptimeMs() < this.uptimeMs) return;
    device.timer.clear(this.deadline);
    this.onTrial = false;
    device.slots!.markValid();
    confirm(this.base);
    this.status.set("confirmed", { version: config.version });
  }

  private reject(why: string): void {
    if (this.bound) return; // it only has to stay up a little longer
    const { store, config, device, log } = this.base;
    const reason = this.lastFailure ? `${why}: ${this.lastFailure}` : why;
    saveFailure(store, loadMemory(store), reason);
    this.status.set("failed", { version: config.version, reason });
    try {
      device.slots!.markInvalid();
    } catch (error) {
      this.onTrial = false;
      log("ota", `nothing to go back to: ${(error as Error).message}`, "E");
      return;
    }
    restartFor(store, device.system, "rollback", reason);
  }
}
