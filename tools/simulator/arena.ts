// How much of the arena the program used, phase by phase, as the engine reports it whenever it is idle.

import type { Stats } from "../engine/engine.js";

const MAX_PHASES = 16;

/** Peaks in bytes by phase; the phases are what the firmware marks: boot, join, sync, ota. */
export type Peaks = Record<string, number>;

export class ArenaMeter {
  limit: number;
  readonly peaks: Peaks;
  private open = ["boot"]; // phases that the next report belongs to
  private used = 0;
  private peak = 0;

  /** `peaks` of earlier runs are kept and raised. */
  constructor(limit: number, peaks: Peaks) {
    this.limit = limit;
    this.peaks = peaks;
  }

  /** A phase begins. Until the machine is idle again, what it uses counts for both. */
  mark(phase: string): void {
    const known = Object.hasOwn(this.peaks, phase);
    if (this.open.includes(phase) || (!known && Object.keys(this.peaks).length >= MAX_PHASES)) return;
    this.open.push(phase);
  }

  /** Takes a report; true when the engine must begin a new peak with the next event. */
  report(stats: Stats): boolean {
    this.limit = stats.arenaLimit;
    this.used = stats.arenaUsed;
    this.peak = stats.arenaPeak;
    for (const phase of this.open) this.peaks[phase] = Math.max(this.peaks[phase] ?? 0, stats.arenaPeak);
    const restart = this.open.length > 1;
    this.open = [this.open.at(-1)!];
    return restart;
  }

  /** Free bytes, peak since the last mark, limit. */
  heap(): [free: number, peak: number, limit: number] {
    return [this.limit - this.used, this.peak, this.limit];
  }
}
