// Counts stale messages a device: more than three an hour means two boards with one key, or somebody who replays.

const HOUR_MS = 3600_000;
const TOLERATED = 3;
const MAX_WATCHED = 10_000;

export class StaleWatch {
  readonly #now: () => number;
  /** Times of the last few, by device. Oldest device first. */
  readonly #times = new Map<string, number[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts one; true when it is the one too many. */
  count(id: string): boolean {
    const recent = this.#recent(id);
    const times = [...recent, this.#now()].slice(-TOLERATED - 1);
    this.#times.delete(id);
    this.#times.set(id, times);
    if (this.#times.size > MAX_WATCHED) this.#times.delete(this.#times.keys().next().value!);
    return times.length > TOLERATED && recent.length <= TOLERATED;
  }

  isSuspect(id: string): boolean {
    return this.#recent(id).length > TOLERATED;
  }

  #recent(id: string): number[] {
    return (this.#times.get(id) ?? []).filter((time) => this.#now() - time < HOUR_MS);
  }
}
