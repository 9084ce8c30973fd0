// Runs what was recorded on a core: it gets the same frames, and must answer each with the same bytes.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FRAME, FrameReader, decodeValues } from "../../tools/engine/bus-frame.js";
import type { Core } from "./cores.js";
import type { CoreEngine } from "./core-engine.js";
import { runProgram } from "./program.js";
import { copyOf, type Recording } from "./record.js";

const RUN_TIMEOUT_MS = 120_000;
/** As they come in an idle frame, see tools/engine/engine.ts. */
const ARENA_PEAK = 1;
const METER = 5;
const STACK_PEAK = 6;

export interface Replay {
  /** Frames that both sent, all the same; undefined where they differ. */
  frames: number | undefined;
  /** Calls of the bus among them. */
  calls: number;
  /** Bytes, slots and instructions that the machine told at most. */
  arenaPeak: number;
  stackPeak: number;
  meter: number;
  /** Bytes of the C stack, from the first call of the bus on. */
  cStack: number;
  /** What is wrong, in words. */
  problem?: string;
}

export async function replay(
  core: Core,
  engine: CoreEngine,
  recording: Recording,
  dir: string,
): Promise<Replay> {
  copyOf(recording, dir);
  for (const name of ["out", "stack", "stderr"]) writeFileSync(join(dir, name), "");
  const said = await runOn(core, engine.program, dir);
  const expected = framesOf(readFileSync(join(recording, "out")));
  const frames = framesOf(readFileSync(join(dir, "out")));
  const told = { ...summary(expected), cStack: Number(readFileSync(join(dir, "stack"), "utf8")) };
  const problem = said ?? compare(expected, frames);
  if (problem === undefined) return { frames: expected.length, ...told };
  return { frames: undefined, ...told, problem };
}

/** What QEMU said, if the engine did not end by itself: with 0 when the bus closed, with 1 after an abort. */
async function runOn(core: Core, program: string, dir: string): Promise<string | undefined> {
  const { code, output } = await runProgram(core, program, { dir, timeoutMs: RUN_TIMEOUT_MS });
  if (code === 0 || code === 1) return undefined;
  return `${core.qemu[0]} ended with ${code ?? "a time-out"}: ${output.trim()}`;
}

function framesOf(bytes: Buffer): Buffer[] {
  const reader = new FrameReader();
  reader.push(bytes);
  const frames: Buffer[] = [];
  for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame);
  return frames;
}

/** The board may have been switched off before the last frame came: a core then says one more. */
function compare(expected: Buffer[], frames: Buffer[]): string | undefined {
  for (const [i, frame] of expected.entries()) {
    const other = frames[i];
    if (other === undefined) return `ends after ${i} of ${expected.length} frames`;
    if (!frame.equals(other)) return `frame ${i}: ${words(other)} instead of ${words(frame)}`;
  }
  if (frames.length > expected.length + 1) return `${frames.length} frames instead of ${expected.length}`;
  return expected.length === 0 ? "nothing was recorded" : undefined;
}

function words(frame: Buffer): string {
  return `${frame[0]} ${JSON.stringify(decodeValues(frame, 1)).slice(0, 300)}`;
}

function summary(frames: Buffer[]): { calls: number; arenaPeak: number; stackPeak: number; meter: number } {
  const idle = frames
    .filter((frame) => frame[0] === FRAME.idle)
    .map((frame) => decodeValues(frame, 1) as number[]);
  const most = (index: number) => Math.max(0, ...idle.map((stats) => stats[index]!));
  const calls = frames.filter((frame) => frame[0] === FRAME.call).length;
  return { calls, arenaPeak: most(ARENA_PEAK), stackPeak: most(STACK_PEAK), meter: most(METER) };
}
