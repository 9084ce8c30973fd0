// Who is on line: a device that was heard of lately. In memory only; a restart learns it again within a hold.

import type { Events } from "./events.js";

/** Longest hold (50 s), a round trip and some patience. */
const OFFLINE_AFTER_MS = 75_000;
const SWEEP_MS = 5_000;

export class Presence {
  readonly #seen = new Map<string, number>();
  readonly #events: Events;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;

  constructor(events: Events, now: () => number) {
    this.#events = events;
    this.#now = now;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#seen.size;
  }

  isOnline(id: string): boolean {
    return this.#now() - (this.#seen.get(id) ?? -Infinity) < OFFLINE_AFTER_MS;
  }

  /** An authentic, fresh message came from it. */
  seen(id: string): void {
    const known = this.#seen.has(id);
    this.#seen.set(id, this.#now());
    if (!known) this.#events.emit("device.online", { id });
  }

  gone(id: string): void {
    if (this.#seen.delete(id)) this.#events.emit("device.offline", { id });
  }

  #sweep(): void {
    for (const id of [...this.#seen.keys()]) if (!this.isOnline(id)) this.gone(id);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
