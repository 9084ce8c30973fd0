// XS's and our C files to objects: which files, with which flags, kept by what they depend on; one compiler process a file.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BroomeError } from "../error.js";
import { type Compiler, callCompiler } from "./cc.js";

const XS_FLAGS = [
  "-O2",
  "-fno-common",
  "-fno-strict-aliasing",
  "-D_GNU_SOURCE",
  "-DINCLUDE_XSPLATFORM",
  '-DXSPLATFORM="platform.h"',
  "-DmxRun=1",
  "-DmxParse=1",
  "-DmxMetering=1",
  "-DmxSloppy=1",
  // Without it deep nesting corrupts memory instead of ending in "stack overflow".
  "-DmxBoundsCheck=1",
  "-DmxRegExpUnicodePropertyEscapes=0",
  "-DmxNoConsole=1",
];
export const OWN_FLAGS = ["-std=gnu11", "-Wall", "-Wextra"];
/** No scratch memory in the stack (c/scratch.h); our fxCaptureErrorStack, which knows modules and lines (c/lines.c). */
const FILE_FLAGS: Record<string, string[]> = {
  "xsdtoa.c": ["-include", "scratch.h"],
  "xsre.c": ["-include", "scratch.h"],
  "xsDefaults.c": ["-DfxCaptureErrorStack=hostCaptureErrorStack"],
};
/** Needs more than this host has; is included by another file (XS 17). */
const NOT_BUILT = /^(xsSnapshot|xsum)\.c$/;

/** The device's native code that does not know its platform: the engine offers it as a board does. */
const NATIVE = /^curve25519.*\.[ch]$/;

/** All that is the same for every target. */
export const FLAGS = [XS_FLAGS, FILE_FLAGS, OWN_FLAGS];

/** What the engine is compiled for. */
export interface Target {
  compiler: Compiler;
  /** Flags of the target: word size, instruction set. */
  flags: string[];
  /** Folder of our C files. */
  sources: string;
  /** Directory of XS's sources. */
  xs: string;
}

/** A call of the compiler and what comes of it. */
export interface Step {
  what: string;
  args: string[];
  object: string;
}

/** Folder of our C files, from the sources as well as from the built command. */
export function sourceDir(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const candidate = join(dir, "tools", "engine", "c");
    if (existsSync(join(candidate, "main.c"))) return candidate;
    if (dir === dirname(dir)) break;
  }
  throw new BroomeError(
    "engine-build-failed",
    "The folder tools/engine/c is not there",
    "Run from a complete checkout of Broome.",
  );
}

/** Which XS: npm's is pinned, an SDK's may change under the same path. */
export function xsIdentity(): string {
  const moddable = process.env["MODDABLE"];
  if (!moddable) return "npm 13.3";
  const dir = join(moddable, "xs", "sources");
  const files = existsSync(dir) ? readdirSync(dir).sort() : [];
  const facts = files.map((name) => {
    const { size, mtimeMs } = statSync(join(dir, name));
    return [name, size, mtimeMs];
  });
  return JSON.stringify([moddable, facts]);
}

/** What XS's objects depend on: not on our files, except the headers that they include. */
export function xsKeyOf(target: Target): string {
  const hash = createHash("sha256");
  const { compiler, flags } = target;
  hash.update(JSON.stringify([compiler.version, XS_FLAGS, FILE_FLAGS, flags, xsIdentity()]));
  for (const name of ["platform.h", "scratch.h"]) hash.update(readFileSync(join(target.sources, name)));
  return hash.digest("hex").slice(0, 20);
}

/** One of our files to an object in `dir`. */
export function ownStep(target: Target, path: string, dir: string): Step {
  return stepOf(target, path, dir, [
    ...OWN_FLAGS,
    ...xsFolders(target).flatMap((folder) => ["-isystem", folder]),
  ]);
}

/** All that is ours: the files of `sources`, and native code of the device. */
export function ownFiles(sources: string): string[] {
  const native = join(sources, "..", "..", "..", "firmware", "native");
  const list = (dir: string) =>
    readdirSync(dir)
      .sort()
      .map((name) => join(dir, name));
  return [...list(sources), ...list(native).filter((path) => NATIVE.test(basename(path)))];
}

/** The engine's own files; pty.c is a program of its own. */
export function ownSteps(target: Target, dir: string): Step[] {
  return ownFiles(target.sources)
    .filter((path) => path.endsWith(".c") && basename(path) !== "pty.c")
    .map((path) => ownStep(target, path, dir));
}

export function xsSteps(target: Target, dir: string): Step[] {
  const flags = ["-w", ...xsFolders(target).map((folder) => `-I${folder}`)];
  return readdirSync(join(target.xs, "sources"))
    .filter((name) => name.endsWith(".c") && !NOT_BUILT.test(name))
    .map((name) =>
      stepOf(target, join(target.xs, "sources", name), dir, [...flags, ...(FILE_FLAGS[name] ?? [])]),
    );
}

function stepOf(target: Target, path: string, dir: string, extra: string[]): Step {
  const args = [...XS_FLAGS, `-I${target.sources}`, ...target.flags, ...extra, "-c", path];
  return { what: basename(path), args, object: join(dir, `${basename(path, ".c")}.o`) };
}

function xsFolders(target: Target): string[] {
  return ["includes", "platforms", "sources"].map((name) => join(target.xs, name));
}

/** As many at once as there are processors. Throws BroomeError `engine-build-failed`. */
export async function compileAll(
  compiler: Compiler,
  steps: Step[],
  onDone?: (step: Step) => void,
): Promise<void> {
  const left = [...steps];
  const worker = async () => {
    for (let step = left.shift(); step !== undefined; step = left.shift()) {
      await compile(compiler.command, step);
      onDone?.(step);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Compiles beside the object, then puts it in its place: a process that is killed leaves no half object. */
async function compile(compiler: string, step: Step): Promise<void> {
  const temporary = `${step.object}.${process.pid}`;
  await callCompiler(compiler, step.what, [...step.args, "-o", temporary]);
  await rename(temporary, step.object);
}
