// One attempt at one network: association, then an address, each within its time. Nothing is stored or erased here.

import type { Address, JoinEvents } from "../device/types.js";
import type { Base } from "../store/base.js";
import type { Network } from "./networks.js";

export interface Limits {
  associationMs: number;
  addressMs: number;
}

export interface Attempt {
  /** Undefined: it failed, for `reason`. */
  address: Address | undefined;
  /** "online", or a reason of CONTRACT.md's vocabulary with the raw code in brackets where there is one. */
  reason: string;
}

/** Who is told when a connection that was made ends. */
export interface LossListener {
  onLost(reason: string): void;
}

/** The listener is called at most once, and only after the attempt ended well. */
export function tryNetwork(
  base: Base,
  network: Network,
  limits: Limits,
  listener: LossListener,
): Promise<Attempt> {
  return new Promise((resolve) => new Trying(base, limits, listener, resolve).start(network));
}

class Trying implements JoinEvents {
  private readonly base: Base;
  private readonly limits: Limits;
  private readonly listener: LossListener;
  private resolve: ((attempt: Attempt) => void) | undefined; // undefined once it is over
  private limit: unknown;

  constructor(base: Base, limits: Limits, listener: LossListener, resolve: (attempt: Attempt) => void) {
    this.base = base;
    this.limits = limits;
    this.listener = listener;
    this.resolve = resolve;
  }

  start({ ssid, password }: Network): void {
    const { station, timer } = this.base.device;
    this.limit = timer.set(() => this.end(undefined, "timeout"), this.limits.associationMs);
    station.join({ ssid, password }, this);
  }

  associated(): void {
    const { timer } = this.base.device;
    if (!this.resolve) return;
    timer.clear(this.limit);
    this.limit = timer.set(() => this.end(undefined, "no-address"), this.limits.addressMs);
  }

  address(address: Address): void {
    this.end(address, "online");
  }

  lost(raw: number): void {
    const reason = `${this.base.device.station.reason(raw)} (${raw})`;
    if (this.resolve) this.end(undefined, reason);
    else this.listener.onLost(reason);
  }

  private end(address: Address | undefined, reason: string): void {
    const { resolve } = this;
    if (!resolve) return;
    const { station, timer } = this.base.device;
    this.resolve = undefined;
    timer.clear(this.limit);
    if (!address) station.leave();
    resolve({ address, reason });
  }
}
