// File and line of an address by the toolchain's addr2line (GNU binutils, LLVM), which reads a program's DWARF.

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Core } from "./native-crash.js";

const TIMEOUT_MS = 20_000; // a large program takes seconds
const MAX_OUTPUT = 1 << 20; // bytes

/** Names that the tool has: Espressif's toolchains old and new, Debian's, LLVM's, which reads any. */
const NAMES: Readonly<Record<Core, readonly string[]>> = {
  esp32: ["xtensa-esp32-elf-addr2line", "xtensa-esp-elf-addr2line"],
  riscv: ["riscv32-esp-elf-addr2line", "riscv64-unknown-elf-addr2line", "riscv-none-elf-addr2line"],
  esp8266: ["xtensa-lx106-elf-addr2line"],
};
const ANY = "llvm-addr2line";

/** The name that a user would look for first. */
export function usualName(core: Core): string {
  return NAMES[core][0]!;
}

/** The tool for a core in the folders of PATH; undefined: there is none. */
export function findAddr2line(core: Core, path = process.env.PATH ?? ""): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const endings = process.platform === "win32" ? [".exe"] : [""];
  for (const name of [...NAMES[core], ANY])
    for (const folder of folders)
      for (const ending of endings) {
        const file = join(folder, name + ending);
        if (isProgram(file)) return file;
      }
  return undefined;
}

/**
 * For each address where it lies, innermost first: "main.c:12", and where that was inlined into. Empty where the program's debug
 * information does not say. Rejects with what went wrong.
 */
export async function linesOf(tool: string, elf: string, addresses: readonly number[]): Promise<string[][]> {
  const argv = ["-e", elf, "-a", "-i", ...addresses.map((address) => `0x${address.toString(16)}`)];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(tool, argv, { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  return parseLines(output, addresses.length);
}

/** `output`: for each of `count` addresses a line with it, then one a place. Pure. */
export function parseLines(output: string, count: number): string[][] {
  const places: string[][] = [];
  for (const line of output.split(/\r?\n/)) {
    if (/^0x[0-9a-f]+$/.test(line)) places.push([]);
    else if (/:\d+( \(discriminator \d+\))?$/.test(line) && !/:0$/.test(line))
      places.at(-1)?.push(line.replace(/ \(discriminator \d+\)$/, ""));
  }
  return Array.from({ length: count }, (_, i) => places[i] ?? []);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
