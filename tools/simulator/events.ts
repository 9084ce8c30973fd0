// Bus events on their way to the program: they wait until the machine is idle, and are made only then, so that none is stale.

import type { Value } from "../engine/engine.js";

export type BusEvent = [name: string, ...args: Value[]];

/** Queues an event; `make` is called when it can be delivered, and may find that nobody wants it any more. */
export type Post = (make: () => BusEvent | undefined) => void;

const MAX_WAITING = 1024; // a program that is never idle must not fill the board's memory

/** First in, first out. */
export class EventQueue {
  /** Events that found the queue full. */
  lost = 0;
  private waiting: (() => BusEvent | undefined)[] = [];
  private readonly onPosted: () => void;

  constructor(onPosted: () => void) {
    this.onPosted = onPosted;
  }

  get length(): number {
    return this.waiting.length;
  }

  readonly post: Post = (make) => {
    if (this.waiting.length < MAX_WAITING) this.waiting.push(make);
    else this.lost += 1; // as an interrupt that finds its queue full
    this.onPosted();
  };

  /** The next event that somebody still wants, or undefined when there is none. */
  take(): BusEvent | undefined {
    for (let make = this.waiting.shift(); make !== undefined; make = this.waiting.shift()) {
      const event = make();
      if (event !== undefined) return event;
    }
    return undefined;
  }

  clear(): void {
    this.waiting = [];
  }
}
