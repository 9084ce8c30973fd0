// Step 3 of the chain: credentials from a phone by ESP-Touch, where the platform can; and the time slice in which nothing else
// has the radio, whether it can or not.

import type { TouchCredentials, TouchEvents } from "../device/types.js";
import type { Base } from "../store/base.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import type { LogStore } from "../store/log-store.js";

const SLICE_MS = 30_000;
/** A transfer whose frames keep coming holds its slice: so long, or to its end where no network is known that would wait. */
const HELD_SLICE_MS = 45_000;
const HELD_CHECK_MS = 500;
const KEY_LENGTH = 16;

/** The owner's AES key for ESP-Touch v2: what is sealed for it is heard, and what comes in the clear is heard as well. */
export function touchKey(store: LogStore): string | undefined {
  const key = textDefault(defaultValues(store), "smartconfig.key");
  return key !== undefined && isTouchKey(key) ? key : undefined; // checked by whoever wrote it: what cannot be one is none
}

/** The chip's code takes 16 bytes, up to the first zero. */
function isTouchKey(key: string): boolean {
  for (let i = 0; i < key.length; i += 1)
    if (key.charCodeAt(i) < 0x20 || key.charCodeAt(i) > 0x7e) return false;
  return key.length === KEY_LENGTH;
}

export interface SliceListener {
  /** Nothing but credentials from outside can lead on line. */
  readonly knowsNothing: boolean;
  /**
   * The slice is over: with what a phone sent, or with a reason of the vocabulary. Nothing else is on the stack. Of what was sent
   * the listener says what became of it: `acknowledge`, or `drop`.
   */
  onSlice(result: TouchCredentials | string): void;
}

export class SmartConfigSlice {
  /** Uptime when the slice began. */
  startedMs = 0;
  private readonly base: Base;
  private readonly listener: SliceListener;
  private timer: unknown;
  private listening = false;

  constructor(base: Base, listener: SliceListener) {
    this.base = base;
    this.listener = listener;
  }

  get running(): boolean {
    return this.timer !== undefined;
  }

  start(): void {
    const { system, timer } = this.base.device;
    this.startedMs = system.uptimeMs();
    this.timer = timer.set(() => this.check(), SLICE_MS);
    this.resume();
  }

  /** Somebody else needs the radio; the time goes on. */
  pause(): void {
    if (this.listening) this.base.device.smartconfig!.stop();
    this.listening = false;
  }

  resume(): void {
    const { smartconfig } = this.base.device;
    if (this.listening || !this.running || !smartconfig) return;
    this.listening = true;
    const events: TouchEvents = {
      credentials: (heard) => {
        this.listening = false; // and not stopped: the phone waits for its answer
        this.end(heard);
      },
      failed: (raw) => this.end(`timeout (${raw})`),
    };
    smartconfig.start(events, touchKey(this.base.store));
  }

  /** What the phone sent led to an address: it is told. */
  acknowledge(): void {
    this.base.device.smartconfig?.acknowledge();
  }

  /** It did not: the phone hears nothing. */
  drop(): void {
    this.base.device.smartconfig?.stop();
  }

  /** Ends it; the listener hears nothing. */
  stop(): void {
    this.pause();
    this.base.device.timer.clear(this.timer);
    this.timer = undefined;
  }

  private check(): void {
    const { smartconfig, system, timer } = this.base.device;
    const held = this.listening && smartconfig!.receiving?.() === true;
    if (held && (system.uptimeMs() - this.startedMs < HELD_SLICE_MS || this.listener.knowsNothing))
      this.timer = timer.set(() => this.check(), HELD_CHECK_MS);
    else this.end(smartconfig ? "timeout" : "not-available");
  }

  private end(result: TouchCredentials | string): void {
    if (!this.running) return;
    this.stop();
    this.base.device.timer.set(() => this.listener.onSlice(result), 0);
  }
}
