// Keeps a board that crashes again and again from eating the machine it is simulated on.

const WINDOW_MS = 60_000;
const FREE = 5; // restarts within the window that cost nothing
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;

export class RestartLimiter {
  private recent: number[] = [];

  /** Notes a restart by the firmware's own doing at real time `now`; returns how long it has to wait, in ms. */
  delay(now: number): number {
    this.recent = this.recent.filter((moment) => moment > now - WINDOW_MS);
    this.recent.push(now);
    const excess = this.recent.length - FREE;
    return excess <= 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (excess - 1));
  }
}
