// ESP-Touch as the firmware wants it, over the vendor's code in the chip: v1 and v2 by turns (it listens to one at a time), the
// credentials handed over and not applied, and an end in every case: the vendor's code keeps its buffers until it is stopped.

import type { SmartConfig, Timer, TouchEvents } from "../types.js";
import { touchCredentials } from "./touch-record.js";

/** What the chip tells; the numbers are those of firmware/native/touch-events.h. */
export const CHANNEL = 0; // somebody sends on a channel that was found
export const CREDENTIALS = 1; // a touch record
export const ACKNOWLEDGED = 2; // the phone has been told

export type TouchVersion = 1 | 2;
export type TouchDriverListener = (kind: number, record?: ArrayBuffer) => void;

export interface TouchDriver {
  /** Versions that the chip knows, in the order in which they are tried. */
  readonly versions: readonly TouchVersion[];
  /** 0, or the vendor's error. `key` goes with v2 alone. */
  start(version: TouchVersion, key: string | undefined, listener: TouchDriverListener): number;
  stop(): void;
}

/** A version's turn, after which the vendor's code begins anew, with the other version if it knows two. v1 hops over all channels in about 2 s, and a phone sends a name and a password in 3 to 10. In ms. */
const TURN_MS = 15_000;
/** Once a channel was found, its version has this long to hear the rest. In ms. */
const FOUND_MS = 45_000;
/** The vendor's code sends 30 acknowledgements in 3 s; whoever does not hear them in this time will not. In ms. */
const ACKNOWLEDGE_MS = 10_000;
/** What the firmware is told of credentials that are none. */
export const MALFORMED = -1;

export class TouchListener implements SmartConfig {
  private readonly driver: TouchDriver;
  private readonly timer: Timer;
  private turn = 0; // goes on where the last start ended: with little patience each version has its time
  private events: TouchEvents | undefined; // undefined once the credentials came, or it was stopped
  private key: string | undefined;
  private found = false; // somebody sends: this version keeps its turn
  private running = false; // the vendor's code holds the radio, or still has to tell the phone
  private limit: unknown;

  constructor(driver: TouchDriver, timer: Timer) {
    this.driver = driver;
    this.timer = timer;
  }

  /** @throws where `key` has other than 16 characters */
  start(events: TouchEvents, key?: string): void {
    if (key !== undefined && key.length !== 16)
      throw new Error(`"key" expected 16 characters, got ${key.length}`);
    this.stop();
    this.events = events;
    this.key = key;
    this.listen();
  }

  stop(): void {
    this.timer.clear(this.limit);
    this.events = undefined;
    if (!this.running) return;
    this.running = false;
    this.driver.stop();
  }

  acknowledge(): void {
    this.events = undefined;
    if (!this.running) return;
    this.timer.clear(this.limit);
    this.limit = this.timer.set(() => this.stop(), ACKNOWLEDGE_MS);
  }

  receiving(): boolean {
    return this.running && this.found && this.events !== undefined;
  }

  private listen(): void {
    const { versions } = this.driver;
    this.found = false;
    const version = versions[this.turn % versions.length]!;
    this.turn += 1;
    const listener: TouchDriverListener = (kind, record) => this.heard(kind, record);
    const error = this.driver.start(version, version === 2 ? this.key : undefined, listener);
    if (error !== 0) {
      this.limit = this.timer.set(() => this.fail(error), 0); // in a turn of its own
      return;
    }
    this.running = true;
    this.limit = this.timer.set(() => this.change(), TURN_MS);
  }

  private change(): void {
    this.running = false;
    this.driver.stop();
    this.listen();
  }

  private heard(kind: number, record: ArrayBuffer | undefined): void {
    if (!this.running) return; // it was on its way when listening ended
    if (kind === ACKNOWLEDGED) this.stop();
    else if (!this.events) return;
    else if (kind === CREDENTIALS) this.credentials(new Uint8Array(record!));
    else if (kind === CHANNEL) this.foundChannel();
  }

  private foundChannel(): void {
    this.found = true;
    this.timer.clear(this.limit);
    this.limit = this.timer.set(() => this.change(), FOUND_MS);
  }

  private credentials(record: Uint8Array): void {
    const heard = touchCredentials(record);
    if (!heard) return this.fail(MALFORMED);
    const { events } = this;
    this.timer.clear(this.limit);
    this.events = undefined;
    events!.credentials(heard);
  }

  private fail(raw: number): void {
    const { events } = this;
    this.stop();
    events?.failed(raw);
  }
}
