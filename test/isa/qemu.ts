// C on the cores of the chips under Debian's QEMU: compiled without an operating system, run, its instructions counted.
//
// QEMU's `-icount` lets virtual time go on by a fixed step with each instruction and by nothing else, so what the core's
// own counter shows is exact and the same in every run. It counts instructions: not the cycles of a real chip, which
// waits for its flash.

import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { callCompiler } from "../../tools/engine/cc.js";

/** A core: how to compile for it, link, run, and what to make of its counter. */
export interface Core {
  readonly name: "lx106" | "rv32imc";
  readonly tools: { readonly prefix: string; readonly qemu: string };
  /** Of Debian; what is missing names them. */
  readonly packages: readonly string[];
  readonly headers: string;
  readonly libraries: string;
  /** As the SDKs compile for their chips. */
  readonly flags: readonly string[];
  readonly start: string;
  readonly link: readonly string[];
  readonly run: readonly string[];
  /** What chipCount() goes up by with one instruction. */
  readonly step: number;
}

/** The ESP8266: flags of Moddable 8.2.3's make.esp.mk. Its counter runs at 40 MHz: at 2^7 ns an instruction, 5.12 a step. */
export const LX106: Core = {
  name: "lx106",
  tools: { prefix: "xtensa-lx106-elf-", qemu: "qemu-system-xtensa" },
  packages: ["gcc-xtensa-lx106", "picolibc-xtensa-lx106-elf", "qemu-system-misc"],
  headers: "/usr/lib/xtensa-lx106-elf/include",
  libraries: "/usr/lib/xtensa-lx106-elf/lib",
  flags: [
    ...["-Os", "-std=gnu99", "-mlongcalls", "-mtext-section-literals", "-falign-functions=4"],
    ...["-fno-inline-functions", "-fno-jump-tables", "-ffunction-sections", "-fdata-sections", "-D__ets__"],
  ],
  start: "test/isa/lx106.c",
  link: ["-Wl,--section-start=.reset=0x50000000", "-Wl,-Ttext=0x60000000"],
  run: ["-cpu", "lx106", "-M", "sim", "-semihosting", "-serial", "none", "-icount", "shift=7"],
  step: 5.12,
};

/** The ESP32-C3. Its counter is the number of instructions. */
export const RV32IMC: Core = {
  name: "rv32imc",
  tools: { prefix: "riscv64-unknown-elf-", qemu: "qemu-system-riscv32" },
  packages: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf", "qemu-system-misc"],
  headers: "/usr/lib/picolibc/riscv64-unknown-elf/include",
  libraries: "/usr/lib/picolibc/riscv64-unknown-elf/lib/rv32imac/ilp32",
  flags: [
    ...["-march=rv32imc", "-mabi=ilp32", "-Os", "-std=gnu99"],
    ...["-ffunction-sections", "-fdata-sections", "-D__ets__", "-DESP32=4"],
  ],
  start: "test/isa/rv32imc.c",
  link: ["-Wl,--section-start=.reset=0x80000000", "-Wl,-Ttext=0x80001000"],
  run: ["-M", "virt", "-bios", "none", "-serial", "stdio", "-icount", "shift=0"],
  step: 1,
};

/** What has to be installed before anything can be compiled and run for the core; undefined where nothing is missing. */
export function missingFor(core: Core): string | undefined {
  const there =
    [`${core.tools.prefix}gcc`, core.tools.qemu].every(
      (command) => spawnSync(command, ["--version"]).status === 0,
    ) && existsSync(core.headers);
  return there ? undefined : `apt install ${core.packages.join(" ")}`;
}

function compileFlags(core: Core, include: readonly string[]): string[] {
  const folders = ["test/isa", ...include].map((folder) => `-I${folder}`);
  return [...core.flags, "-isystem", core.headers, ...folders];
}

/** Compiles and links a program (chip.h says what it finds). Throws BroomeError `engine-build-failed`. */
export async function buildProgram(
  core: Core,
  o: { sources: readonly string[]; include: readonly string[]; out: string },
): Promise<void> {
  const link = ["-nostdlib", ...core.link, "-Wl,-e,_start", "-Wl,-u,_start", "-Wl,--gc-sections"];
  const args = [...compileFlags(core, o.include), ...o.sources, core.start, ...link];
  args.push(`-L${core.libraries}`, "-lc", "-lgcc", "-o", o.out);
  await callCompiler(`${core.tools.prefix}gcc`, o.out, args);
}

/** Compiles one file and gives the bytes of each of the object's sections that a chip has to hold. */
export async function sectionsOf(
  core: Core,
  o: { source: string; include: readonly string[]; out: string },
): Promise<Map<string, number>> {
  await callCompiler(`${core.tools.prefix}gcc`, o.source, [
    ...compileFlags(core, o.include),
    ...["-c", o.source, "-o", o.out],
  ]);
  const { stdout } = await promisify(execFile)(`${core.tools.prefix}size`, ["-A", o.out]);
  const rows = stdout.matchAll(/^(\.(?:irom|text|rodata|srodata|data|sdata|bss|sbss)\S*)\s+(\d+)/gm);
  return new Map([...rows].map(([, name, size]) => [name!, Number(size)]));
}

/** Runs a program to its end; its output and exit code. Throws where it does not end in time. */
export async function runProgram(
  core: Core,
  elf: string,
  timeoutMs: number,
): Promise<{ output: string; code: number }> {
  const args = [...core.run, "-nographic", "-monitor", "none", "-no-reboot", "-kernel", elf];
  try {
    const { stdout } = await promisify(execFile)(core.tools.qemu, args, { timeout: timeoutMs });
    return { output: stdout, code: 0 };
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    if (typeof code !== "number") throw error;
    return { output: stdout ?? "", code };
  }
}
