// The cores of the chips as QEMU has them: which compiler, which machine, and where its memory lies.

import { spawnSync } from "node:child_process";

export interface Core {
  name: string;
  /** The chip whose instructions these are. */
  chip: string;
  compiler: string;
  /** Flags for each file, beside XS's own. Unaligned access and size: as in the Moddable SDK's builds for the chip. */
  flags: readonly string[];
  /** Flags for the link: addresses for engine/core.ld. */
  link: readonly string[];
  /** Files of engine/ for this core alone. */
  files: readonly string[];
  qemu: readonly string[];
}

const SMALL = ["-Os", "-ffunction-sections", "-fdata-sections"];
const ALIGNED = [
  "-DmxUnalignedAccess=0",
  "-DmxMisalignedSettersCrash=1",
  "-DmxIntegerDivideOverflowException=0",
];
const QUIET = ["-m", "64M", "-nographic", "-monitor", "none", "-serial", "none"];

export const CORES: readonly Core[] = [
  {
    name: "lx106",
    chip: "esp8266",
    compiler: "xtensa-lx106-elf-gcc",
    flags: [
      "-specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",
      "-mlongcalls",
      "-mtext-section-literals",
      ...SMALL,
      ...ALIGNED,
    ],
    link: ["-Wl,--defsym=coreReset=0x50000000,--defsym=coreTrap=0x40000070,--defsym=coreRam=0x60000000"],
    files: ["core-lx106.c", "libgcc-lx106.c"],
    qemu: ["qemu-system-xtensa", "-cpu", "lx106", "-M", "sim", "-semihosting", ...QUIET],
  },
  {
    name: "rv32imc",
    chip: "esp32c3",
    compiler: "riscv64-unknown-elf-gcc",
    flags: ["-specs=picolibc.specs", "-march=rv32imc", "-mabi=ilp32", ...SMALL, ...ALIGNED],
    link: ["-Wl,--defsym=coreReset=0x80000000,--defsym=coreTrap=0x80000800,--defsym=coreRam=0x80001000"],
    files: ["core-rv32imc.c"],
    qemu: [
      ...["qemu-system-riscv32", "-M", "virt", "-bios", "none"],
      ...["-semihosting-config", "enable=on,target=native", ...QUIET],
    ],
  },
];

/** Debian's packages of all that this needs. */
export const PACKAGES =
  "gcc-multilib gcc-xtensa-lx106 gcc-riscv64-unknown-elf picolibc-xtensa-lx106-elf picolibc-riscv64-unknown-elf qemu-system-misc";

/** The programs that are not there. */
export function missingTools(core: Core): string[] {
  const tools = [core.compiler, core.qemu[0]!];
  return tools.filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0);
}
