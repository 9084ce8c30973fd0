// A clock for the boards' logic: time stands still until a test lets it go on.

import type { Timer } from "../../../../firmware/device/types.js";

interface Entry {
  at: number;
  everyMs: number | undefined;
  callback: () => void;
}

export class FakeTimer implements Timer {
  now = 0;
  private readonly entries = new Set<Entry>();

  set(callback: () => void, ms: number): unknown {
    return this.add({ at: this.now + ms, everyMs: undefined, callback });
  }

  repeat(callback: () => void, ms: number): unknown {
    return this.add({ at: this.now + ms, everyMs: ms, callback });
  }

  clear(handle: unknown): void {
    this.entries.delete(handle as Entry);
  }

  get pending(): number {
    return this.entries.size;
  }

  /** Lets `ms` go by; what is due is called in order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.entries].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.now = next.at;
      if (next.everyMs === undefined) this.entries.delete(next);
      else next.at += next.everyMs;
      next.callback();
    }
    this.now = end;
  }

  private add(entry: Entry): Entry {
    this.entries.add(entry);
    return entry;
  }
}
