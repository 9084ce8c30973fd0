// Builds the engine for a core: XS, our host's own files and engine/'s, kept in .broome/isa by what they depend on.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { callCompiler } from "../../tools/engine/cc.js";
import { fetchXs } from "../../tools/engine/fetch.js";
import { withLock } from "../../tools/engine/lock.js";
import {
  FLAGS,
  compileAll,
  ownFiles,
  ownStep,
  ownSteps,
  sourceDir,
  xsKeyOf,
  xsSteps,
  type Target,
} from "../../tools/engine/objects.js";
import type { Core } from "./cores.js";
import { CORE_DIR, linkFlags } from "./program.js";

const here = join(dirname(fileURLToPath(import.meta.url)), "engine");
/** What a core has no use for: the operating system, the command line, the compiler of JavaScript. */
const NOT_ON_A_CORE = /^(posix|main|link|compile)\.c$/;

/** For each file, beside XS's own: unaligned access and size as in the Moddable SDK's builds for the chips. */
const ENGINE_FLAGS = [
  ...["-Os", "-ffunction-sections", "-fdata-sections", `-I${CORE_DIR}`, "-DmxUnalignedAccess=0"],
  ...["-DmxMisalignedSettersCrash=1", "-DmxIntegerDivideOverflowException=0"],
];

/** Bytes: what would lie in flash, with and without XS's built-ins, and what is always in RAM. */
export interface Size {
  code: number;
  constants: number;
}

export interface CoreEngine {
  program: string;
  size: Size;
  /** Seconds that the build took; 0 where it was there. */
  seconds: number;
}

/** Throws BroomeError `engine-build-failed`. */
export async function buildCoreEngine(core: Core, cacheDir: string): Promise<CoreEngine> {
  const started = performance.now();
  const { stdout: version } = spawnSync(`${core.prefix}gcc`, ["--version"], { encoding: "utf8" });
  const target: Target = {
    compiler: { command: `${core.prefix}gcc`, version },
    flags: [...core.machine, ...ENGINE_FLAGS],
    sources: sourceDir(),
    xs: await fetchXs(cacheDir),
  };
  const dir = join(cacheDir, "isa", `${core.name}-${keyOf(core, target)}`);
  const program = join(dir, "engine");
  mkdirSync(dir, { recursive: true });
  await withLock(join(dir, "lock"), async () => {
    if (!existsSync(program)) await build(core, target, cacheDir, dir, program);
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  return { program: resolve(program), size: sizeOf(core, program), seconds };
}

function keyOf(core: Core, target: Target): string {
  const hash = createHash("sha256").update(JSON.stringify([core, FLAGS, xsKeyOf(target)]));
  const bench = [here, CORE_DIR].flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)));
  for (const path of [...ownFiles(target.sources), ...bench.sort()])
    hash.update(basename(path)).update(readFileSync(path));
  return hash.digest("hex").slice(0, 20);
}

async function build(
  core: Core,
  target: Target,
  cacheDir: string,
  dir: string,
  program: string,
): Promise<void> {
  const objects = join(cacheDir, "isa", `xs-${xsKeyOf(target)}`);
  mkdirSync(objects, { recursive: true });
  const theirs = xsSteps(target, objects);
  const ours = ownSteps(target, dir).filter(({ what }) => !NOT_ON_A_CORE.test(what));
  const files = [
    ...["os-core.c", "trunc.c"].map((name) => join(here, name)),
    ...core.files.map((name) => join(CORE_DIR, name)),
  ];
  const own = files.map((file) => ownStep(target, file, dir));
  const steps = [...theirs, ...ours, ...own];
  await compileAll(
    target.compiler,
    steps.filter(({ object }) => !existsSync(object)),
  );
  const flags = [...target.flags, ...linkFlags(core)];
  const objectFiles = steps.map(({ object }) => object);
  await callCompiler(target.compiler.command, "engine", [
    ...flags,
    "-o",
    `${program}.new`,
    ...objectFiles,
    "-lm",
  ]);
  for (const { object } of [...ours, ...own]) rmSync(object);
  renameSync(`${program}.new`, program);
}

function sizeOf(core: Core, program: string): Size {
  const { stdout } = spawnSync(`${core.prefix}size`, ["-A", program], { encoding: "utf8" });
  const section = (name: string) => Number(new RegExp(`^\\.${name}\\s+(\\d+)`, "m").exec(stdout)?.[1] ?? 0);
  return { code: section("text"), constants: section("rodata") };
}
