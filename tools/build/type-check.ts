// Type-checks firmware/ with TypeScript's own compiler in a process beside the build; skipped where nothing changed since it passed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { BroomeError } from "../error.js";

export interface TypeCheckOptions {
  readonly root: string;
  readonly cacheDir: string;
  /** Another folder in the place of firmware/app. */
  readonly appDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves to how it went: checked now, or the same files passed before.
 * Throws `typescript-errors` with "file:line:column: message" lines.
 */
export async function typeCheck(options: TypeCheckOptions): Promise<"checked" | "unchanged"> {
  const cache = join(options.cacheDir, "type-check");
  const passed = join(cache, `${hashInputs(options)}.passed`);
  if (existsSync(passed)) return "unchanged";
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "run-"));
  try {
    await check(options, cache, work);
    writeFileSync(passed, "");
    return "checked";
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Everything that the result depends on: all sources, the settings, the compiler. */
function hashInputs({ root, appDir }: TypeCheckOptions): string {
  const hash = createHash("sha256");
  const add = (name: string, content: string | Buffer) =>
    hash.update(`${name}\0${content.length}\0`).update(content);
  add("typescript", compilerVersion());
  add("tsconfig", readFileSync(join(root, "firmware/tsconfig.json")));
  const app = join(root, "firmware/app");
  const skip = appDir === undefined ? undefined : app;
  for (const file of typeScriptFiles(join(root, "firmware"), skip))
    add(relative(root, file), readFileSync(file));
  if (appDir !== undefined)
    for (const file of typeScriptFiles(appDir))
      add(`firmware/app/${relative(appDir, file)}`, readFileSync(file));
  return hash.digest("hex").slice(0, 32);
}

function typeScriptFiles(folder: string, skip?: string): string[] {
  if (folder === skip || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return typeScriptFiles(path, skip);
      return entry.name.endsWith(".ts") ? [path] : [];
    });
}

async function check(options: TypeCheckOptions, cache: string, work: string): Promise<void> {
  const { root, appDir } = options;
  const folder = appDir === undefined ? root : overlay(root, appDir, work);
  // The incremental state is copied and put back whole, so that builds side by side never see half of it.
  const shared = join(cache, "firmware.tsbuildinfo");
  const own = join(work, "firmware.tsbuildinfo");
  if (appDir === undefined && existsSync(shared)) copyFileSync(shared, own);
  const { code, output } = await runCompiler(folder, own, options.signal);
  if (appDir === undefined && existsSync(own)) renameSync(own, shared);
  if (code === 0) return;
  const shownApp = appDir === undefined ? "firmware/app" : relative(root, appDir);
  const lines = output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^(\S+?)\((\d+),(\d+)\): error /, "$1:$2:$3: "))
    .map((line) => line.replace(/^firmware\/app\//, `${shownApp}/`));
  throw new BroomeError(
    "typescript-errors",
    lines.join("\n") || `tsc ended with code ${code}`,
    "Correct these lines and build again. The device's types are ES2022 alone: no Node, no DOM.",
  );
}

/** A copy of firmware/ with another app: relative imports of the app must find the rest. */
function overlay(root: string, appDir: string, work: string): string {
  const app = join(root, "firmware/app");
  cpSync(join(root, "firmware"), join(work, "firmware"), { recursive: true, filter: (path) => path !== app });
  cpSync(appDir, join(work, "firmware/app"), { recursive: true });
  return work;
}

function runCompiler(
  folder: string,
  buildInfo: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const options = ["--noEmit", "--incremental", "--tsBuildInfoFile", buildInfo, "--pretty", "false"];
    const child = spawn(process.execPath, [compilerFile(), "-p", "firmware/tsconfig.json", ...options], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal ? { signal } : {}),
    });
    let output = "";
    const collect = (text: string) => (output += text);
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

function packageFile(): string {
  return createRequire(import.meta.url).resolve("typescript/package.json");
}

function compilerFile(): string {
  return join(dirname(packageFile()), "bin/tsc");
}

function compilerVersion(): string {
  return (JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string }).version;
}
