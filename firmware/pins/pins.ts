// Virtual pins (PROTOCOL section 1): what the server wants them to be, what the device says they are, and the trigger V100.

import { scalar } from "../protocol/field.js";
import type { PinReport, PinWish, Scalar } from "../protocol/sync-message.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { PIN_REVISION } from "../store/keys.js";
import type { Base } from "../store/base.js";

/** Raised to 1, or to a version: look for an update. */
export const TRIGGER_PIN = 100;
const TAKEN_BACK = "0";
/** JSON of the update's state, and of the last start (CONTRACT.md, "Pins"). */
export const OTA_STATUS_PIN = 101;
export const STARTUP_PIN = 102;
/** The gadget's own pins are those below. */
const FIRST_SYSTEM_PIN = 100;
/** Pins that can wait to be reported, and text of one: both held in RAM. */
const MAX_WAITING = 16;
const MAX_TEXT = 64; // bytes
const MAX_VERSION = 31; // characters

interface Trigger {
  r: number; // revision
  v: string; // "1" or a version
}

interface RevisionRecord {
  p: number;
  t?: Trigger;
}

export interface PinsListener {
  /** There is something to report. */
  onReport(): void;
}

export class Pins {
  listener: PinsListener | undefined;
  private readonly base: Base;
  private readonly listeners: ((value: Scalar) => void)[] = [];
  private readonly listened: number[] = [];
  private waiting: PinReport[] = [];
  private processed: number;
  private trigger: Trigger | undefined;

  constructor(base: Base) {
    this.base = base;
    const { p = 0, t } = getRecord<RevisionRecord>(base.store, PIN_REVISION) ?? {};
    this.processed = p;
    this.trigger = t;
  }

  /** Highest revision processed, as it is in the store: `p` of a request. */
  get revision(): number {
    return this.processed;
  }

  /** The trigger was raised and has not acted yet. */
  get triggered(): boolean {
    return this.trigger !== undefined;
  }

  /** The gadget listens to one of its own pins; a second listener takes the place of the first. */
  on(pin: number, listener: (value: Scalar) => void): void {
    checkOwn(pin);
    const at = this.listened.indexOf(pin);
    this.listened[at < 0 ? this.listened.length : at] = pin;
    this.listeners[at < 0 ? this.listeners.length : at] = listener;
  }

  /** The gadget shows a value on one of its own pins. Throws RangeError, FormatError. */
  write(pin: number, value: Scalar): void {
    checkOwn(pin);
    scalar(`V${pin}`, value, MAX_TEXT);
    this.report(pin, value);
  }

  /** The latest value of a pin goes out with one of the next requests. */
  report(pin: number, value: Scalar): void {
    const others = this.waiting.filter((report) => report[0] !== pin);
    others.push([pin, value]);
    this.waiting = others.slice(-MAX_WAITING);
    this.listener?.onReport();
  }

  get hasReports(): boolean {
    return this.waiting.length > 0;
  }

  /** The oldest reports, at most `limit`. They stay until acknowledged. */
  reports(limit: number): PinReport[] {
    return this.waiting.slice(0, limit);
  }

  /** These reports arrived; one that was replaced meanwhile stays. */
  acknowledge(sent: readonly PinReport[]): void {
    if (sent.length === 0) return;
    this.waiting = this.waiting.filter((report) => !sent.includes(report));
  }

  /**
   * Takes the wishes of a bound reply. The revision is in the store before anything happens: a listener that brings the
   * device down must not do so again at every start.
   */
  take(wishes: readonly PinWish[], highest: number): void {
    const fresh = wishes.filter(([revision]) => revision > this.processed);
    let reached = Math.max(this.processed, highest);
    for (const [revision, pin, value] of fresh) {
      reached = Math.max(reached, revision);
      if (pin === TRIGGER_PIN) this.raise(revision, String(value));
    }
    if (reached === this.processed) return;
    this.processed = reached;
    this.commit();
    for (const [, pin, value] of fresh) {
      const listener = this.listeners[this.listened.indexOf(pin)];
      if (pin >= FIRST_SYSTEM_PIN || !listener) continue;
      try {
        listener(value);
      } catch (error) {
        this.base.log("pins", `V${pin}: ${String(error)}`, "E");
      }
    }
  }

  /** The trigger's value: only after a bound reply to a request that already carried its revision. It stays until `clearTrigger`. */
  triggerAfter(carried: number): string | undefined {
    return this.trigger && this.trigger.r <= carried ? this.trigger.v : undefined;
  }

  /** The trigger has acted, and what it began is in the store: it does not act again, also not after a restart. */
  clearTrigger(): void {
    this.trigger = undefined;
    this.commit();
  }

  /** 0 takes the trigger back; what is too long for a version is none. */
  private raise(revision: number, value: string): void {
    const none = value === TAKEN_BACK || value === "" || value.length > MAX_VERSION;
    this.trigger = none ? undefined : { r: revision, v: value };
  }

  private commit(): void {
    const record: RevisionRecord = { p: this.processed };
    if (this.trigger) record.t = this.trigger;
    setRecord(this.base.store, PIN_REVISION, record);
  }
}

function checkOwn(pin: number): void {
  if (!(Number.isInteger(pin) && pin >= 0 && pin < FIRST_SYSTEM_PIN))
    throw new RangeError(`V${pin} is not one of the gadget's pins, V0 to V${FIRST_SYSTEM_PIN - 1}`);
}
