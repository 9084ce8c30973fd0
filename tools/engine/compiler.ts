// Builds the engine: our C host and XS's sources, one compiler process a file, without make or python.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type Compiler, callCompiler, findCompiler } from "./cc.js";
import { fetchXs } from "./fetch.js";
import { withLock } from "./lock.js";
import {
  FLAGS,
  OWN_FLAGS,
  compileAll,
  ownFiles,
  ownSteps,
  sourceDir,
  xsIdentity,
  xsKeyOf,
  xsSteps,
} from "./objects.js";

const run = promisify(execFile);

/** A built engine. */
export interface Engine {
  /** Path of the program: `engine link`, `engine run`. */
  binary: string;
  /** Path of the program that opens a pseudo-terminal for the virtual serial port. */
  pty: string;
  /** 32: slots as large as on the chips. 64: twice that, so the arena is twice as large too. */
  bits: 32 | 64;
  /** Version of XS, for example "13.3.0". */
  xs: string;
}

/** Called with how many of the steps are done. */
export type Progress = (done: number, total: number, what: string) => void;

/** SSE: the x87 unit would round differently from the 64-bit build and from the chips. */
const BITS_FLAGS = { 32: ["-m32", "-msse2", "-mfpmath=sse"], 64: ["-g"] };
const LEFTOVER = /^(build|fetch|probe)-/;
const BUILT = /^[0-9a-f]{20}$/;
const ENGINES_KEPT = 8;

/**
 * Returns the engine, built if it is not there yet.
 *
 * `bits: 64` (or `BROOME_ENGINE_BITS=64`) asks for the 64-bit build, which memory checkers can run; without it the
 * engine is 32-bit where the compiler can. Two processes may call this at once. Throws BroomeError `compiler-missing`
 * or `engine-build-failed`.
 */
export async function prepareEngine(o: {
  cacheDir: string;
  bits?: 64;
  onProgress?: Progress;
}): Promise<Engine> {
  const compiler = findCompiler();
  const sources = sourceDir();
  const wanted = o.bits ?? (process.env["BROOME_ENGINE_BITS"] === "64" ? 64 : undefined);
  await mkdir(o.cacheDir, { recursive: true });
  const known = readBuilt(o.cacheDir, keyOf(compiler, sources, wanted));
  if (known) return known;
  return withLock(join(o.cacheDir, "engine.lock"), async () => {
    const key = keyOf(compiler, sources, wanted);
    const built = readBuilt(o.cacheDir, key);
    if (built) return built;
    await sweep(o.cacheDir);
    o.onProgress?.(0, 1, "XS sources");
    const xs = await fetchXs(o.cacheDir);
    const bits = wanted ?? (await bitsOf(compiler.command, o.cacheDir));
    return build({
      cacheDir: o.cacheDir,
      key,
      ...{ compiler, sources, xs, bits },
      onProgress: o.onProgress,
    });
  });
}

/** Takes away what processes left that were killed (we hold the lock), and all but the newest engines. */
async function sweep(cacheDir: string): Promise<void> {
  const engines = join(cacheDir, "engine");
  const entries = (dir: string): string[] =>
    existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
  const left = [...entries(cacheDir), ...entries(engines)].filter((path) => LEFTOVER.test(basename(path)));
  const age = (path: string): number => statSync(path).mtimeMs;
  const built = entries(engines).filter((path) => BUILT.test(basename(path)));
  const old = built.sort((a, b) => age(b) - age(a)).slice(ENGINES_KEPT);
  for (const path of [...left, ...old]) await rm(path, { recursive: true, force: true });
}

/** glibc's headers for 32-bit programs, where distributions put them: present once gcc-multilib is installed. */
const HEADERS_32 = ["/usr/include/x86_64-linux-gnu/gnu/stubs-32.h", "/usr/include/gnu/stubs-32.h"];

/** What a build depends on: compiler, flags, our sources, which XS, and whether 32-bit headers came or went. */
function keyOf(compiler: Compiler, sources: string, bits: 64 | undefined): string {
  const hash = createHash("sha256");
  hash.update(
    JSON.stringify([compiler, FLAGS, BITS_FLAGS, bits ?? 0, process.arch, HEADERS_32.map(existsSync)]),
  );
  hash.update(xsIdentity());
  for (const path of ownFiles(sources)) hash.update(basename(path)).update(readFileSync(path));
  return hash.digest("hex").slice(0, 20);
}

function readBuilt(cacheDir: string, key: string): Engine | undefined {
  const dir = join(cacheDir, "engine", key);
  if (!existsSync(join(dir, "engine.json"))) return undefined;
  const facts = JSON.parse(readFileSync(join(dir, "engine.json"), "utf8")) as Pick<Engine, "bits" | "xs">;
  return { binary: join(dir, "engine"), pty: join(dir, "pty"), bits: facts.bits, xs: facts.xs };
}

/** 32 if the compiler makes 32-bit programs that run here. */
async function bitsOf(compiler: string, cacheDir: string): Promise<32 | 64> {
  const dir = await mkdtemp(join(cacheDir, "probe-"));
  try {
    await writeFile(
      join(dir, "probe.c"),
      "#include <stdio.h>\n#include <math.h>\nint main(void) { return 0; }\n",
    );
    await run(compiler, [...BITS_FLAGS[32], join(dir, "probe.c"), "-o", join(dir, "probe"), "-lm"]);
    await run(join(dir, "probe"), []);
    return 32;
  } catch {
    return 64;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Build {
  cacheDir: string;
  key: string;
  compiler: Compiler;
  sources: string;
  /** Directory of XS's sources. */
  xs: string;
  bits: 32 | 64;
  onProgress?: Progress | undefined;
}

async function build(o: Build): Promise<Engine> {
  const final = join(o.cacheDir, "engine", o.key);
  const target = { compiler: o.compiler, flags: BITS_FLAGS[o.bits], sources: o.sources, xs: o.xs };
  const objects = join(o.cacheDir, "engine", `xs-${xsKeyOf(target)}`);
  await mkdir(objects, { recursive: true });
  const dir = await mkdtemp(join(o.cacheDir, "engine", "build-"));
  try {
    const theirs = xsSteps(target, objects);
    const ours = ownSteps(target, dir);
    const left = [...theirs, ...ours].filter((step) => !existsSync(step.object));
    const total = left.length + 2;
    let done = 0;
    await compileAll(o.compiler, left, (step) => o.onProgress?.(++done, total, step.what));
    const bits = BITS_FLAGS[o.bits];
    const all = [...theirs, ...ours].map((step) => step.object);
    await callCompiler(o.compiler.command, "engine", [...bits, "-o", join(dir, "engine"), ...all, "-lm"]);
    o.onProgress?.(++done, total, "engine");
    const pty = ["-O2", "-D_GNU_SOURCE", ...OWN_FLAGS, "-o", join(dir, "pty"), join(o.sources, "pty.c")];
    await callCompiler(o.compiler.command, "pty", pty);
    o.onProgress?.(++done, total, "pty");
    for (const step of ours) await rm(step.object);
    await writeFile(join(dir, "engine.json"), JSON.stringify({ bits: o.bits, xs: await versionOf(dir) }));
    await rm(final, { recursive: true, force: true });
    await rename(dir, final);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return readBuilt(o.cacheDir, o.key)!;
}

/** "13.3.0": XS 17's headers compute the number from the features that are switched on, so the program is asked. */
async function versionOf(dir: string): Promise<string> {
  const { stdout } = await run(join(dir, "engine"), ["version"]);
  return stdout.split(" ")[0]!;
}
