// Runs curve25519.c on a core and reads its figures.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { curveSources } from "../firmware/native/driver.js";
import type { Core } from "./cores.js";
import { buildProgram, runProgram, sectionsOf } from "./program.js";

const RUN_TIMEOUT_MS = 120_000;
const INCLUDE = ["firmware/native"];

/** What it may take: instructions, bytes. The ESP8266's system stack has 4 KB, below which the engine needs its part. */
export const TARGETS = {
  x25519: 60_000_000,
  ed25519: 150_000_000,
  untended: 2_000_000,
  stack: 2048,
  flash: 8192,
};

export interface Measurement {
  name: string;
  instructions: number;
  /** The longest time without a call of the watchdog's hook, in instructions. */
  untended: number;
  /** Bytes, the measured function's own frame and all below it. */
  stack: number;
}

export interface CurveFigures {
  measurements: Measurement[];
  /** Bytes of code and tables in flash. */
  flash: number;
  /** Sections that would lie in RAM on an ESP8266, or that hold code or tables outside of irom there. */
  elsewhere: string[];
}

/** Throws where a result is wrong. */
export async function measureCurve25519(core: Core): Promise<CurveFigures> {
  const dir = mkdtempSync(join(tmpdir(), `broome-${core.name}-`));
  try {
    const elf = join(dir, "curve25519.elf");
    const sources = [...curveSources(), "test/isa/curve25519.c"];
    await buildProgram(core, { sources, include: INCLUDE, out: elf });
    const { output, code } = await runProgram(core, elf, { dir, timeoutMs: RUN_TIMEOUT_MS, counting: true });
    if (code !== 0)
      throw new Error(`${core.name}: a result is wrong (exit ${code ?? "by a time-out"})\n${output}`);
    return { measurements: parse(core, output), ...(await sizes(core, dir)) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function parse(core: Core, output: string): Measurement[] {
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const [name, ...words] = line.trim().split(" ");
      const [count, untended, stack] = words.map((word) => Number.parseInt(word, 16));
      const instructions = (value: number) => Math.round(value / core.count.step);
      return {
        name: name!,
        instructions: instructions(count!),
        untended: instructions(untended!),
        stack: stack!,
      };
    });
}

async function sizes(core: Core, dir: string): Promise<Pick<CurveFigures, "flash" | "elsewhere">> {
  let flash = 0;
  const elsewhere: string[] = [];
  for (const source of curveSources()) {
    const sections = await sectionsOf(core, { source, include: INCLUDE, out: join(dir, "one.o") });
    for (const [name, size] of sections) {
      flash += size;
      if (size > 0 && !name.startsWith(".irom.text")) elsewhere.push(`${source} ${name}: ${size}`);
    }
  }
  return { flash, elsewhere };
}
