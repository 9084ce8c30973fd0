// Waiting that an event can end early.

import type { Timer } from "../device/types.js";

/** One waiter at a time: `sleep` ends after its time, or at `wake`. A wake without a sleeper ends the next sleep at once. */
export class Wait {
  private readonly timer: Timer;
  private handle: unknown;
  private resolve: (() => void) | undefined;
  private woken = false;

  constructor(timer: Timer) {
    this.timer = timer;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.woken || ms <= 0) {
        this.woken = false;
        resolve();
        return;
      }
      this.resolve = resolve;
      this.handle = this.timer.set(() => this.end(), ms);
    });
  }

  wake(): void {
    if (this.resolve) this.end();
    else this.woken = true;
  }

  private end(): void {
    const resolve = this.resolve;
    this.timer.clear(this.handle);
    this.handle = this.resolve = undefined;
    resolve?.();
  }
}

/** Doubles from `firstMs` to `mostMs`, with up to a quarter of jitter: a fleet that lost its server must not come back at once. */
export function backoffMs(failures: number, firstMs: number, mostMs: number): number {
  const plain = Math.min(mostMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), 16));
  return Math.round(plain * (0.75 + Math.random() / 4));
}
