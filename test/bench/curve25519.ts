// What X25519 and Ed25519 verification cost on the cores of the chips: instructions, stack, flash.

import { CORES, missingFor, type Core } from "../isa/cores.js";
import { TARGETS, measureCurve25519 } from "../isa/curve25519.js";
import type { Bench } from "./bench.js";

interface CoreFigures {
  x25519: number;
  ed25519Verify: number;
  /** Without a call of the watchdog's hook. */
  untended: number;
  stackBytes: number;
  flashBytes: number;
}

async function figuresOf(core: Core): Promise<CoreFigures> {
  const { measurements, flash } = await measureCurve25519(core);
  const worst = (figure: "instructions" | "untended" | "stack", prefix = "") =>
    Math.max(...measurements.filter(({ name }) => name.startsWith(prefix)).map((one) => one[figure]));
  return {
    x25519: worst("instructions", "x25519"),
    ed25519Verify: worst("instructions", "ed25519"),
    untended: worst("untended"),
    stackBytes: worst("stack"),
    flashBytes: flash,
  };
}

function meets(figures: CoreFigures): boolean {
  return (
    figures.x25519 <= TARGETS.x25519 &&
    figures.ed25519Verify <= TARGETS.ed25519 &&
    figures.untended <= TARGETS.untended &&
    figures.stackBytes <= TARGETS.stack &&
    figures.flashBytes <= TARGETS.flash
  );
}

export const curve25519: Bench = {
  name: "curve25519",
  async run(say) {
    const cores: Record<string, CoreFigures> = {};
    const skipped: string[] = [];
    for (const core of CORES) {
      const missing = missingFor(core);
      if (missing) {
        say(`!!! ${core.name} is NOT measured: ${missing} !!!`);
        skipped.push(core.name);
        continue;
      }
      const figures = (cores[core.name] = await figuresOf(core));
      say(
        `${core.name}: X25519 ${figures.x25519}, Ed25519 verify ${figures.ed25519Verify} instructions; ` +
          `${figures.stackBytes} bytes of stack, ${figures.flashBytes} of flash`,
      );
    }
    const ok = Object.values(cores).every(meets) && skipped.length === 0;
    return { ok, ...cores, targets: TARGETS, skipped };
  },
};
