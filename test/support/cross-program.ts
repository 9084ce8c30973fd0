// A small program for a chip's core, by Debian's compiler: a function that crashes, one that calls it, and where their code lies.

import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CrossCore {
  readonly prefix: string;
  /** Of Debian. */
  readonly package: string;
  readonly flags: readonly string[];
  /** For objdump: registers and instructions by their own names. */
  readonly plain: readonly string[];
  /** Mnemonics of calls, as objdump writes them. */
  readonly calls: RegExp;
}

export const LX106: CrossCore = {
  prefix: "xtensa-lx106-elf-",
  package: "gcc-xtensa-lx106",
  flags: ["-mlongcalls"],
  plain: [],
  calls: /\bcallx?0\b/,
};

export const RV32IMC: CrossCore = {
  prefix: "riscv64-unknown-elf-",
  package: "gcc-riscv64-unknown-elf",
  flags: ["-march=rv32imc", "-mabi=ilp32"],
  plain: ["-M", "no-aliases"],
  calls: /\bc?\.?jalr?\b/,
};

/** Line 2 reads where it should not, line 5 calls it. */
const SOURCE = `__attribute__((noinline, noipa)) int tide_read(volatile int *where) {
  return *where;
}
__attribute__((noinline, noipa)) int tide_log(int count) {
  return tide_read((volatile int *)8) + count;
}
int tide_start(void) {
  return tide_log(3) * 2;
}
`;

export function isThere(core: CrossCore): boolean {
  return spawnSync(`${core.prefix}gcc`, ["--version"]).status === 0;
}

export interface CrossProgram {
  readonly elf: string;
  /** Address and size, by name, as nm says. */
  readonly functions: ReadonlyMap<string, { address: number; size: number }>;
  /** Addresses behind calls, and all others at which an instruction begins, as objdump says. */
  readonly behindCalls: readonly number[];
  readonly others: readonly number[];
}

/** In `folder`; the source is tide.c there. */
export function crossProgram(core: CrossCore, folder: string): CrossProgram {
  const tool = (name: string, argv: string[]) =>
    execFileSync(core.prefix + name, argv, { cwd: folder, encoding: "utf8" });
  writeFileSync(join(folder, "tide.c"), SOURCE);
  const flags = ["-g", "-O1", "-nostdlib", "-ffreestanding", "-Wl,-Ttext=0x40201010", "-Wl,-e,tide_start"];
  tool("gcc", [...core.flags, ...flags, "-o", "tide.elf", "tide.c"]);
  const functions = [...tool("nm", ["-S", "tide.elf"]).matchAll(/^(\w+) (\w+) [Tt] (\w+)$/gm)].map(
    ([, address, size, name]) =>
      [name!, { address: parseInt(address!, 16), size: parseInt(size!, 16) }] as const,
  );
  const listing = tool("objdump", ["-d", ...core.plain, "tide.elf"]);
  const instructions = [...listing.matchAll(/^\s*([0-9a-f]+):\s+(?:[0-9a-f]+ ?)+\s+(.*)$/gm)].map(
    ([, address, text]) => ({ address: parseInt(address!, 16), text: text! }),
  );
  const behindCalls = instructions.flatMap((one, i) =>
    isCall(core, one.text) && instructions[i + 1] ? [instructions[i + 1]!.address] : [],
  );
  const others = instructions
    .map(({ address }) => address)
    .filter((address) => !behindCalls.includes(address));
  return { elf: join(folder, "tide.elf"), functions: new Map(functions), behindCalls, others };
}

/** "jal ra,4020..." calls, "jal zero,..." only jumps. */
function isCall(core: CrossCore, text: string): boolean {
  if (!core.calls.test(text)) return false;
  return core !== RV32IMC || !/\b(jalr?)\s+zero\b/.test(text);
}
