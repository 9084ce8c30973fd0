// A C program on a core: linked without an operating system (core/), run under QEMU.
//
// QEMU's `-icount` lets virtual time go on by a fixed step with each instruction and by nothing else, so what the core's
// own counter shows is exact and the same in every run. It counts instructions: not the cycles of a real chip, which
// waits for its flash.

import { execFile, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { callCompiler } from "../../tools/engine/cc.js";
import type { Core } from "./cores.js";

/** Where core.h lies, the linker's script, and the files that each program for a core is linked with. */
export const CORE_DIR = join(dirname(fileURLToPath(import.meta.url)), "core");
/** Of what QEMU says, the end is kept. */
const SAID = 4000;

/** Flags of the link, after those of the machine. */
export function linkFlags(core: Core): string[] {
  const script = ["-nostartfiles", "-T", join(CORE_DIR, "core.ld"), ...core.link];
  return [...script, "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"];
}

function compileFlags(core: Core, include: readonly string[]): string[] {
  return [...core.machine, ...core.sdk, ...[CORE_DIR, ...include].map((folder) => `-I${folder}`)];
}

/** Compiles as the SDK does, and links. Throws BroomeError `engine-build-failed`. */
export async function buildProgram(
  core: Core,
  o: { sources: readonly string[]; include: readonly string[]; out: string },
): Promise<void> {
  const files = [...o.sources, ...core.files.map((name) => join(CORE_DIR, name))];
  const args = [...compileFlags(core, o.include), ...files, ...linkFlags(core), "-o", o.out];
  await callCompiler(`${core.prefix}gcc`, o.out, args);
}

/** Compiles one file and gives the bytes of each of the object's sections that a chip has to hold. */
export async function sectionsOf(
  core: Core,
  o: { source: string; include: readonly string[]; out: string },
): Promise<Map<string, number>> {
  const args = [...compileFlags(core, o.include), "-c", o.source, "-o", o.out];
  await callCompiler(`${core.prefix}gcc`, o.source, args);
  const { stdout } = await promisify(execFile)(`${core.prefix}size`, ["-A", o.out]);
  const rows = stdout.matchAll(/^(\.(?:irom|text|rodata|srodata|data|sdata|bss|sbss)\S*)\s+(\d+)/gm);
  return new Map([...rows].map(([, name, size]) => [name!, Number(size)]));
}

export interface Ended {
  /** The program's, or null where it had to be stopped. */
  code: number | null;
  /** What it wrote to standard output and what QEMU said, the last of it. */
  output: string;
}

/** Runs a program in a folder, whose files it may open. */
export function runProgram(
  core: Core,
  elf: string,
  o: { dir: string; timeoutMs: number; counting?: boolean },
): Promise<Ended> {
  const [command, ...args] = core.qemu;
  if (o.counting) args.push("-icount", core.count.icount);
  return new Promise((resolve, reject) => {
    const child = spawn(command!, [...args, "-kernel", elf], {
      cwd: o.dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const hear = (bytes: Buffer) => (output = (output + String(bytes)).slice(-SAID));
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const timer = setTimeout(() => child.kill("SIGKILL"), o.timeoutMs);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}
