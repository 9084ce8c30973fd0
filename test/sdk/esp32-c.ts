// Our C for the ESP32 against ESP-IDF's own headers, on the include path of the SDK's makefile (make.esp32.mk), every warning an error.
// With Espressif's compiler where it is on the path, else with Debian's for the same instructions: rv32imc makes objects; an lx106
// compiler cannot make the classic chip's, so there it checks what the language allows, and no more.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

interface Kind {
  /** `ESP32` in the SDK's makefile. */
  readonly number: number;
  readonly cores: number;
  readonly architecture: "xtensa" | "riscv";
  readonly compilers: readonly Compiler[];
}

interface Compiler {
  readonly command: string;
  readonly flags: readonly string[];
  /** The chip's own instructions: objects are made. */
  readonly objects: boolean;
}

const XTENSA = ["-mlongcalls", "-mtext-section-literals"];
/** Of Espressif's compilers, as sdkconfig tells the headers; Debian's have picolibc. */
const NEWLIB = "-DCONFIG_LIBC_NEWLIB=1";
const KINDS: Readonly<Record<string, Kind>> = {
  esp32: {
    number: 1,
    cores: 2,
    architecture: "xtensa",
    compilers: [
      { command: "xtensa-esp32-elf-gcc", flags: [...XTENSA, NEWLIB], objects: true },
      {
        command: "xtensa-lx106-elf-gcc",
        flags: [...XTENSA, "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs"],
        objects: false,
      },
    ],
  },
  esp32c3: {
    number: 4,
    cores: 1,
    architecture: "riscv",
    compilers: [
      { command: "riscv32-esp-elf-gcc", flags: ["-march=rv32imc_zicsr_zifencei", NEWLIB], objects: true },
      {
        command: "riscv64-unknown-elf-gcc",
        flags: ["-march=rv32imc_zicsr", "-mabi=ilp32", "--specs=picolibc.specs"],
        objects: true,
      },
    ],
  },
};

/** Of make.esp32.mk, C_DEFINES and C_COMMON_FLAGS; warnings are ours. */
const FLAGS = [
  ...["-Os", "-std=gnu17", "-fno-jump-tables", "-fdata-sections", "-ffunction-sections"],
  ...["-D__ets__", "-U__STRICT_ANSI__", "-DmxUseDefaultSharedChunks=1", "-DWITH_POSIX", "-DHAVE_CONFIG_H"],
  ...["-DBOOTLOADER_BUILD=1", "-DESP_PLATFORM", "-Wall", "-Wextra", "-Werror"],
];

export interface CheckOptions {
  /** The project's folder. */
  readonly root: string;
  readonly moddable: string;
  readonly idf: string;
  readonly chip: string;
  /** Where mcconfig generated mc.defines.h. */
  readonly work: string;
}

/** Major and minor version of the headers; undefined where there are none. */
export function headersOf(idf: string): string | undefined {
  const path = join(idf, "components/esp_common/include/esp_idf_version.h");
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  const part = (name: string) => new RegExp(`ESP_IDF_VERSION_${name}\\s+(\\d+)`).exec(text)?.[1];
  return `${part("MAJOR")}.${part("MINOR")}`;
}

/** The compiler for the chip that runs here; undefined where none does. */
export function compilerFor(chip: string): Compiler | undefined {
  return KINDS[chip]!.compilers.find(({ command }) => spawnSync(command, ["--version"]).status === 0);
}

/** XS's inner header wants lwIP's, which are a submodule of ESP-IDF: a copy without it cannot compile XS either. */
const INNER_HEADER = '#include "xsAll.h"';
const LWIP = "components/lwip/lwip/src/include";

/** In words what was compiled, with what, and what could not be for want of headers. Throws what the compiler said of the first file that it refused. */
export function checkEsp32C(options: CheckOptions, { command, flags, objects }: Compiler): string {
  const native = join(options.root, "firmware/native");
  const files = [native, join(native, "esp32")].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".c"))
      .map((name) => join(folder, name)),
  );
  const without = existsSync(join(options.idf, LWIP))
    ? []
    : files.filter((file) => readFileSync(file, "utf8").includes(INNER_HEADER));
  const scratch = mkdtempSync(join(tmpdir(), "broome-esp32-c-"));
  try {
    let bytes = 0;
    for (const file of files.filter((each) => !without.includes(each))) {
      const object = join(scratch, `${basename(file)}.o`);
      const way = objects ? ["-c", "-o", object] : ["-fsyntax-only"];
      const { status, stderr } = spawnSync(
        command,
        [...flags, ...FLAGS, ...includesOf(options), ...way, file],
        { encoding: "utf8", maxBuffer: 1 << 24 },
      );
      if (status !== 0) throw new Error(`${file}: ${errorsOf(stderr)}`);
      if (objects) bytes += readFileSync(object).length;
    }
    const made = objects ? `objects of ${bytes} bytes` : "syntax alone";
    const left = without.map((file) => `; not ${basename(file)}: there is no ${LWIP}`).join("");
    return `${files.length - without.length} files without a warning, ${made}, by ${command}${left}`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The lines that say what is wrong; without one, the first. */
function errorsOf(stderr: string): string {
  const lines = stderr.split("\n");
  const errors = lines.filter((line) => /(?:error|warning):/.test(line));
  return (errors.length > 0 ? errors : lines).slice(0, 6).join("\n");
}

/** Ours with -I; the vendors' as system headers, whose warnings are not ours. */
function includesOf({ root, moddable, idf, chip, work }: CheckOptions): string[] {
  const { number, cores, architecture } = KINDS[chip]!;
  const settings = [
    `ESP32=${number}`,
    `CONFIG_IDF_TARGET="${chip}"`,
    `CONFIG_FREERTOS_NUMBER_OF_CORES=${cores}`,
  ];
  const xs = ["includes", "sources", "platforms/esp", "platforms/mc"].map((path) =>
    join(moddable, "xs", path),
  );
  const own = [join(root, "firmware/native"), work, join(root, "test/sdk/idf")].map((path) => `-I${path}`);
  const theirs = [...xs, ...idfFolders(moddable, { idf, chip, architecture })];
  return [...settings.map((each) => `-D${each}`), ...own, ...theirs.flatMap((path) => ["-isystem", path])];
}

/** What the SDK's makefile lists, as far as this ESP-IDF has it. */
function idfFolders(
  moddable: string,
  { idf, chip, architecture }: { idf: string; chip: string; architecture: string },
): string[] {
  const makefile = readFileSync(join(moddable, "tools/mcconfig/make.esp32.mk"), "utf8");
  const listed = [...makefile.matchAll(/^\s*(\$\(IDF_PATH\)\/components\S*)/gm)].map(([, path]) =>
    path!
      .replaceAll("$(IDF_PATH)", idf)
      .replaceAll("$(ESP32_SUBCLASS)", chip)
      .replaceAll("$(ESP32_BT_SUBCLASS)", chip)
      .replaceAll("$(ESP_ARCH)", architecture),
  );
  return [...new Set(listed)].filter((path) => existsSync(path));
}
