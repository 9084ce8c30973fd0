// The clock of a virtual world: real time; fast, which skips the time in which nobody could be waiting for anything; or stepped,
// which only its owner moves, so that a run of one seed is the same every time.

/** Handle of a timer that has been set. */
export interface ClockTimer {
  readonly due: number; // ms of world time
}

interface Entry extends ClockTimer {
  readonly order: number;
  readonly callback: () => void;
  readonly exact: boolean;
}

/** A timer of the operating system may be so late, ms; an exact one is waited for awake from then on. */
const TIMER_LATE_MS = 2;

export type ClockMode = "real" | "fast" | "stepped";

export interface ClockOptions {
  mode: ClockMode;
  /** Wall clock at the beginning, ms since 1970; default: the real one. */
  start?: number;
  /** Called after every moment at which timers ended. */
  onStep?: () => void;
}

/**
 * World time and timers. A fast clock jumps to the next timer whenever nothing holds it; whoever waits for the outside
 * (an open socket, a console client, a machine that computes) takes a hold meanwhile, and time then runs as outside.
 */
export class Clock {
  readonly mode: ClockMode;
  private readonly wallStart: number;
  private readonly origin = performance.now();
  private skipped = 0;
  private holds = 0;
  private order = 0;
  private entries: Entry[] = []; // sorted by due, then order
  private closed = false;
  private disarm: () => void = () => undefined;
  private readonly onStep: () => void;

  constructor(options: ClockOptions) {
    this.mode = options.mode;
    this.onStep = options.onStep ?? (() => undefined);
    this.wallStart = options.start ?? Date.now();
  }

  /** Milliseconds of world time since the clock was made; never goes back. */
  now(): number {
    return this.mode === "stepped" ? this.skipped : performance.now() - this.origin + this.skipped;
  }

  /** Milliseconds since 1970 as the world's wall clock has it. */
  date(): number {
    return this.wallStart + this.now();
  }

  /** Milliseconds that were skipped so far. */
  get skippedMs(): number {
    return this.skipped;
  }

  /** Calls back once, `ms` from now; timers of the same moment in the order in which they were set. */
  set(ms: number, callback: () => void): ClockTimer {
    return this.add(ms, callback, false);
  }

  /** The same to a fraction of a millisecond, at the price of a processor that is awake for the last two: for a modelled line. */
  setExact(ms: number, callback: () => void): ClockTimer {
    return this.add(ms, callback, true);
  }

  private add(ms: number, callback: () => void, exact: boolean): ClockTimer {
    if (this.closed) throw new Error("clock used after close");
    this.order += 1;
    const entry = { due: this.now() + Math.max(0, ms), order: this.order, callback, exact };
    let at = this.entries.length;
    while (at > 0 && this.entries[at - 1]!.due > entry.due) at -= 1;
    this.entries.splice(at, 0, entry);
    this.arm();
    return entry;
  }

  /** Forgets a timer; one that has ended is ignored. */
  clear(timer: ClockTimer | undefined): void {
    const at = this.entries.indexOf(timer as Entry);
    if (at < 0) return;
    this.entries.splice(at, 1);
    this.arm();
  }

  /** Keeps a fast clock from skipping until the returned function is called (more than once does no harm). */
  hold(): () => void {
    this.holds += 1;
    if (this.holds === 1) this.arm();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.holds -= 1;
      if (this.holds === 0) this.arm();
    };
  }

  /** Of a stepped clock: goes to the next moment at which timers end. False: there is none. */
  step(): boolean {
    const next = this.entries[0];
    if (this.mode !== "stepped" || next === undefined) return false;
    this.skipped = Math.max(this.skipped, next.due); // exactly: sums of fractions may fall short
    this.run();
    return true;
  }

  close(): void {
    this.closed = true;
    this.entries = [];
    this.disarm();
  }

  private arm(): void {
    this.disarm();
    const next = this.entries[0];
    if (next === undefined || this.mode === "stepped") return;
    if (this.mode === "fast" && this.holds === 0) {
      const immediate = setImmediate(() => this.skipTo(next.due));
      this.disarm = () => clearImmediate(immediate);
    } else {
      this.wait(next);
    }
  }

  private wait(next: Entry): void {
    const now = this.now();
    const exact = this.entries.find((entry) => entry.exact)?.due ?? Infinity;
    if (exact - now <= TIMER_LATE_MS) {
      const immediate = setImmediate(() => this.run());
      this.disarm = () => clearImmediate(immediate);
    } else {
      const wait = Math.min(Math.ceil(next.due - now), Math.floor(exact - now - TIMER_LATE_MS), 0x7fffffff);
      const timeout = setTimeout(() => this.run(), Math.max(0, wait));
      this.disarm = () => clearTimeout(timeout);
    }
  }

  private skipTo(due: number): void {
    this.skipped += Math.max(0, due - this.now());
    this.run();
  }

  private run(): void {
    const now = this.now();
    const due = this.entries.filter((entry) => entry.due <= now);
    if (due.length === 0) return this.arm(); // too early
    for (const entry of due) {
      const at = this.entries.indexOf(entry); // an earlier one may have cleared it
      if (at < 0) continue;
      this.entries.splice(at, 1);
      entry.callback();
    }
    this.arm();
    this.onStep();
  }
}
