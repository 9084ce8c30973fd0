// Type-checks all modules of a build at once, with the settings and the typings that mcconfig gives each file of them.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BroomeError } from "../error.js";

/** package.json of the compiler. */
export function compilerPackage(): string {
  return createRequire(import.meta.url).resolve("typescript/package.json");
}

/** `modules` is mcconfig's folder of compiled modules: beside them lie its settings. Throws `typescript-errors`. */
export async function checkTypes(modules: string, signal: AbortSignal | undefined): Promise<number> {
  const files = settingsFiles(modules).flatMap(
    (path) => (JSON.parse(readFileSync(path, "utf8")) as { files: string[] }).files,
  );
  const settings = {
    extends: join(modules, "tsconfig-base.json"),
    compilerOptions: { rootDir: "/", noEmit: true },
    files: files.sort(),
  };
  const path = join(modules, "broome-check.json");
  writeFileSync(path, JSON.stringify(settings));
  const { code, output } = await compile(path, signal);
  signal?.throwIfAborted();
  if (code === 0) return files.length;
  throw new BroomeError(
    "typescript-errors",
    output.trim().replaceAll(/^(\S+?)\((\d+),(\d+)\): error /gm, "$1:$2:$3: ") ||
      `tsc ended with code ${code}`,
    "These are the SDK's typings; the project's own are npm's: import its modules as * and cast to a type of yours.",
  );
}

function settingsFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return settingsFiles(path);
    return entry.name.endsWith("-tsconfig.json") ? [path] : [];
  });
}

function compile(
  settings: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const argv = [join(dirname(compilerPackage()), "bin/tsc"), "-p", settings, "--pretty", "false"];
    const child = spawn(process.execPath, argv, {
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal }),
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
