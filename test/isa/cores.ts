// The cores of the chips as QEMU has them: which compiler, which machine, and where its memory lies.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

export interface Core {
  readonly name: "lx106" | "rv32imc";
  /** The chip whose instructions these are. */
  readonly chip: string;
  /** Before gcc and size. */
  readonly prefix: string;
  /** Debian's packages; what is missing names them. */
  readonly packages: readonly string[];
  /** picolibc's headers for this compiler: they come in a package of their own. */
  readonly headers: string;
  /** Which instructions and library: for each file, and for the link. */
  readonly machine: readonly string[];
  /** As the Moddable SDK 8.2.3 compiles C for the chip. */
  readonly sdk: readonly string[];
  /** Addresses for core/core.ld. */
  readonly link: readonly string[];
  /** Files of core/: start, the door to the computer's files, what the library lacks. */
  readonly files: readonly string[];
  readonly qemu: readonly string[];
  /** QEMU's `-icount`, and what coreCount() then goes up by with one instruction. */
  readonly count: { readonly icount: string; readonly step: number };
}

const QUIET = ["-m", "64M", "-nographic", "-monitor", "none", "-serial", "none", "-no-reboot"];
const SECTIONS = ["-ffunction-sections", "-fdata-sections"];

/** The ESP8266's. Its counter runs at 40 MHz: at 2^7 ns an instruction, 5.12 a step. */
export const LX106: Core = {
  name: "lx106",
  chip: "esp8266",
  prefix: "xtensa-lx106-elf-",
  packages: ["gcc-xtensa-lx106", "picolibc-xtensa-lx106-elf", "qemu-system-misc"],
  headers: "/usr/lib/xtensa-lx106-elf/include",
  machine: ["-specs=/usr/lib/xtensa-lx106-elf/picolibc.specs", "-mlongcalls", "-mtext-section-literals"],
  sdk: [
    ...["-Os", "-std=gnu99", "-falign-functions=4", "-fno-inline-functions", "-fno-jump-tables"],
    ...[...SECTIONS, "-D__ets__"],
  ],
  link: ["-Wl,--defsym=coreReset=0x50000000,--defsym=coreTrap=0x40000070,--defsym=coreRam=0x60000000"],
  files: ["core-lx106.c", "libgcc-lx106.c"],
  qemu: ["qemu-system-xtensa", "-cpu", "lx106", "-M", "sim", "-semihosting", ...QUIET],
  count: { icount: "shift=7", step: 5.12 },
};

/** The ESP32-C3's. Its counter is the number of instructions. */
export const RV32IMC: Core = {
  name: "rv32imc",
  chip: "esp32c3",
  prefix: "riscv64-unknown-elf-",
  packages: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf", "qemu-system-misc"],
  headers: "/usr/lib/picolibc/riscv64-unknown-elf/include",
  machine: ["-specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32"],
  sdk: ["-Os", "-std=gnu99", ...SECTIONS, "-D__ets__", "-DESP32=4"],
  link: ["-Wl,--defsym=coreReset=0x80000000,--defsym=coreTrap=0x80000800,--defsym=coreRam=0x80001000"],
  files: ["core-rv32imc.c"],
  qemu: [
    ...["qemu-system-riscv32", "-M", "virt", "-bios", "none"],
    ...["-semihosting-config", "enable=on,target=native", ...QUIET],
  ],
  count: { icount: "shift=0", step: 1 },
};

export const CORES: readonly Core[] = [LX106, RV32IMC];

/** What has to be installed before anything can be compiled and run for the core; undefined where nothing is missing. */
export function missingFor(core: Core): string | undefined {
  const answers = (tool: string) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0;
  const there = [`${core.prefix}gcc`, core.qemu[0]!].every(answers) && existsSync(core.headers);
  return there ? undefined : `apt install ${core.packages.join(" ")}`;
}
