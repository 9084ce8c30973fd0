// Timers of the program on the world's clock, by handle.

import { BusError } from "../engine/engine.js";
import type { Clock, ClockTimer } from "./clock.js";
import type { Post } from "./events.js";

const MAX_TIMERS = 64;
const MAX_MS = 0x7fffffff;

interface Running {
  timer: ClockTimer;
  waiting: boolean; // fired, and not yet delivered: a repeating timer fires once however late the program is
}

export class Timers {
  private readonly clock: Clock;
  private readonly post: Post;
  private readonly running = new Map<number, Running>();
  private lastHandle = 0;

  constructor(clock: Clock, post: Post) {
    this.clock = clock;
    this.post = post;
  }

  /** @throws BusError `too-many`, `bad-argument` */
  set(ms: number, repeat: boolean): number {
    if (!(ms >= 0 && ms <= MAX_MS)) throw new BusError("bad-argument", `a timer of ${ms} ms`);
    if (this.running.size >= MAX_TIMERS) throw new BusError("too-many", `${MAX_TIMERS} timers are set`);
    this.lastHandle += 1;
    const handle = this.lastHandle;
    this.running.set(handle, this.start(handle, repeat ? Math.max(1, ms) : ms, repeat));
    return handle;
  }

  clear(handle: number): void {
    this.clock.clear(this.running.get(handle)?.timer);
    this.running.delete(handle);
  }

  /** The chip resets. */
  clearAll(): void {
    for (const handle of [...this.running.keys()]) this.clear(handle);
  }

  private start(handle: number, ms: number, repeat: boolean): Running {
    const fire = () => {
      if (repeat) entry.timer = this.clock.set(ms, fire);
      this.deliver(handle, entry, repeat);
    };
    const entry: Running = { timer: this.clock.set(ms, fire), waiting: false };
    return entry;
  }

  private deliver(handle: number, entry: Running, repeat: boolean): void {
    if (entry.waiting) return;
    entry.waiting = true;
    this.post(() => {
      entry.waiting = false;
      if (this.running.get(handle) !== entry) return undefined;
      if (!repeat) this.running.delete(handle);
      return ["timer.fired", handle];
    });
  }
}
