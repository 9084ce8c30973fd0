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

const here = join(dirname(fileURLToPath(import.meta.url)), "engine");
/** What a core has no use for: the operating system, the command line, the compiler of JavaScript. */
const NOT_ON_A_CORE = /^(posix|main|link|compile)\.c$/;

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
  const { stdout: version } = spawnSync(core.compiler, ["--version"], { encoding: "utf8" });
  const target: Target = {
    compiler: { command: core.compiler, version },
    flags: [...core.flags],
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
  const bench = readdirSync(here).map((name) => join(here, name));
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
  const own = ["os-core.c", "trunc.c", ...core.files].map((name) => ownStep(target, join(here, name), dir));
  const steps = [...theirs, ...ours, ...own];
  await compileAll(
    target.compiler,
    steps.filter(({ object }) => !existsSync(object)),
  );
  const script = ["-nostartfiles", "-T", join(here, "core.ld"), ...core.link];
  const flags = [...core.flags, ...script, "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"];
  const objectFiles = steps.map(({ object }) => object);
  await callCompiler(core.compiler, "engine", [...flags, "-o", `${program}.new`, ...objectFiles, "-lm"]);
  for (const { object } of [...ours, ...own]) rmSync(object);
  renameSync(`${program}.new`, program);
}

function sizeOf(core: Core, program: string): Size {
  const tool = core.compiler.replace(/gcc$/, "size");
  const { stdout } = spawnSync(tool, ["-A", program], { encoding: "utf8" });
  const section = (name: string) => Number(new RegExp(`^\\.${name}\\s+(\\d+)`, "m").exec(stdout)?.[1] ?? 0);
  return { code: section("text"), constants: section("rodata") };
}
