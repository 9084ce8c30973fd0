// Held replies: one request a device waits here until there is something to tell it (PROTOCOL, 1: `w`).

/** Holds at one time; above that, requests are answered at once. */
const MAX_HOLDS = 10_000;

export class Hold {
  readonly #deadline: number;
  readonly #now: () => number;
  #over = false;
  #woken = false;
  #resolve: (() => void) | undefined;

  constructor(deadline: number, now: () => number) {
    this.#deadline = deadline;
    this.#now = now;
  }

  /** True when the request must be answered (or forgotten) now. */
  get over(): boolean {
    return this.#over || this.#now() >= this.#deadline;
  }

  /** Something changed: look again. Remembered if nobody waits at the moment. */
  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  end(): void {
    this.#over = true;
    this.wake();
  }

  /** Resolves at a wake, at the end, or at the deadline. One waiter at a time. */
  async wait(): Promise<void> {
    const left = this.#deadline - this.#now();
    if (!this.#woken && !this.#over && left > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        timer = setTimeout(() => ((this.#over = true), resolve()), left);
      });
      clearTimeout(timer);
      this.#resolve = undefined;
    }
    this.#woken = false;
  }
}

export class Holds {
  readonly #holds = new Map<string, Hold>();
  readonly #now: () => number;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#holds.size;
  }

  has(id: string): boolean {
    return this.#holds.has(id);
  }

  /** A hold of at most `milliseconds` for the device; the one it had ends. Ends at once where the server closes. */
  open(id: string, milliseconds: number): Hold {
    this.#holds.get(id)?.end();
    const hold = new Hold(this.#now() + milliseconds, this.#now);
    if (this.#closed || (this.#holds.size >= MAX_HOLDS && !this.#holds.has(id))) hold.end();
    else this.#holds.set(id, hold);
    return hold;
  }

  /** To be called when the request is answered or its connection is gone. */
  release(id: string, hold: Hold): void {
    hold.end();
    if (this.#holds.get(id) === hold) this.#holds.delete(id);
  }

  wake(id: string): void {
    this.#holds.get(id)?.wake();
  }

  /** Ends all, and every later one at once. */
  close(): void {
    this.#closed = true;
    for (const hold of this.#holds.values()) hold.end();
  }
}
