// How much of arena and stack the program used, phase by phase, as the engine reports it whenever it is idle.

import type { Creation, Stats } from "../engine/engine.js";

const MAX_PHASES = 16;

/** Peaks by phase; the phases are what the firmware marks: boot, join, sync, ota. */
export type Peaks = Record<string, number>;

/** What a board keeps from run to run. */
export class MemoryPeaks {
  /** Bytes. */
  readonly arena: Peaks = {};
  /** Slots. */
  readonly stack: Peaks = {};
}

export class ArenaMeter {
  limit: number;
  stackLimit: number;
  readonly peaks: MemoryPeaks;
  private open = ["boot"]; // phases that the next report belongs to
  private used = 0;
  private peak = 0;

  /** `peaks` of earlier runs are kept and raised. */
  constructor({ staticSize, stack }: Creation, peaks: MemoryPeaks) {
    this.limit = staticSize;
    this.stackLimit = stack;
    this.peaks = peaks;
  }

  /** A phase begins. Until the machine is idle again, what it uses counts for both. */
  mark(phase: string): void {
    const { arena } = this.peaks;
    const known = Object.hasOwn(arena, phase);
    if (this.open.includes(phase) || (!known && Object.keys(arena).length >= MAX_PHASES)) return;
    this.open.push(phase);
  }

  /** Takes a report; true when the engine must begin a new peak with the next event. */
  report(stats: Stats): boolean {
    this.limit = stats.arenaLimit;
    this.stackLimit = stats.stackLimit;
    this.used = stats.arenaUsed;
    this.peak = stats.arenaPeak;
    for (const phase of this.open) {
      raise(this.peaks.arena, phase, stats.arenaPeak);
      raise(this.peaks.stack, phase, stats.stackPeak);
    }
    const restart = this.open.length > 1;
    this.open = [this.open.at(-1)!];
    return restart;
  }

  /** Free bytes, peak since the last mark, limit. */
  heap(): [free: number, peak: number, limit: number] {
    return [this.limit - this.used, this.peak, this.limit];
  }
}

function raise(peaks: Peaks, phase: string, peak: number): void {
  peaks[phase] = Math.max(peaks[phase] ?? 0, peak);
}
