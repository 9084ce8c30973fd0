// One attempt at one network: association, then an address, each within its time. Nothing is stored or erased here.

import type { Address, JoinEvents, JoinTarget } from "../device/types.js";
import type { Base } from "../store/base.js";

export interface Limits {
  associationMs: number;
  addressMs: number;
}

export interface Attempt {
  /** Undefined: it failed, for `reason`. */
  address: Address | undefined;
  /** "online", or a reason of CONTRACT.md's vocabulary with the raw code in brackets where there is one. */
  reason: string;
  /** Where the network was, where the platform says. */
  bssid?: Uint8Array;
  channel?: number;
}

export interface AttemptListener {
  /** It is over; called once, with nothing else on the stack. */
  onAttempt(attempt: Attempt): void;
  /** A connection that was made ends. */
  onLost(reason: string): void;
}

export class Trying implements JoinEvents {
  private readonly base: Base;
  private limits: Limits | undefined; // not kept when it is over, nor what was found: one of these lives as long as its network
  private readonly listener: AttemptListener;
  private timer: unknown;
  private bssid: Uint8Array | undefined;
  private channel: number | undefined;
  /** How it ended, until the listener is told. */
  private attempt: Attempt | undefined;
  private over = false;

  /** Begins at once. */
  constructor(base: Base, target: JoinTarget, limits: Limits, listener: AttemptListener) {
    this.base = base;
    this.limits = limits;
    this.listener = listener;
    const { station, timer } = base.device;
    this.timer = timer.set(() => this.end(undefined, "timeout"), limits.associationMs);
    station.join(target, this);
  }

  /** Breaks it off, or leaves the network it led to; the listener hears nothing more. */
  cancel(): void {
    this.over = true;
    this.base.device.timer.clear(this.timer);
    this.base.device.station.leave();
  }

  associated(bssid?: Uint8Array, channel?: number): void {
    const { timer } = this.base.device;
    if (this.attempt || this.over) return;
    this.bssid = bssid;
    this.channel = channel;
    timer.clear(this.timer);
    this.timer = timer.set(() => this.end(undefined, "no-address"), this.limits!.addressMs);
  }

  address(address: Address): void {
    this.end(address, "online");
  }

  lost(raw: number): void {
    const reason = `${this.base.device.station.reason(raw)} (${raw})`;
    const { attempt } = this;
    if (this.over) this.listener.onLost(reason);
    else if (!attempt) this.end(undefined, reason);
    else {
      attempt.address = undefined; // lost before anybody was told
      attempt.reason = reason;
    }
  }

  private end(address: Address | undefined, reason: string): void {
    if (this.attempt || this.over) return;
    const { station, timer } = this.base.device;
    timer.clear(this.timer);
    if (!address) station.leave();
    this.attempt = { address, reason, bssid: this.bssid, channel: this.channel };
    this.timer = timer.set(() => this.tell(), 0); // what follows writes to the store: it begins on an empty stack
  }

  private tell(): void {
    const attempt = this.attempt!;
    this.over = true;
    this.attempt = this.limits = this.bssid = undefined;
    this.listener.onAttempt(attempt);
  }
}
