// The C compiler of this machine: which one, how to get one, and one call of it.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { BroomeError } from "../error.js";

const CALL_TIMEOUT_MS = 300_000;

/** A compiler that runs; `version` is all that it says about itself. */
export interface Compiler {
  command: string;
  version: string;
}

/** `$CC`, or the first of the usual names that runs. Throws BroomeError `compiler-missing`. */
export function findCompiler(): Compiler {
  const candidates = process.env["CC"] ? [process.env["CC"]] : ["cc", "gcc", "clang"];
  for (const command of candidates) {
    const result = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (result.status === 0) return { command, version: result.stdout };
  }
  throw new BroomeError(
    "compiler-missing",
    `No C compiler: ${candidates.join(", ")} cannot be run`,
    compilerHelp(),
  );
}

/** How to get a C compiler on this system. */
export function compilerHelp(): string {
  if (process.platform === "darwin") return "Install one with: xcode-select --install";
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (/\balpine\b/.test(release)) return "Install one with: sudo apk add build-base";
  if (/\b(fedora|rhel|centos)\b/.test(release))
    return "Install one with: sudo dnf install gcc glibc-devel.i686";
  if (/\barch\b/.test(release)) return "Install one with: sudo pacman -S base-devel lib32-gcc-libs";
  return "Install one with: sudo apt install build-essential gcc-multilib";
}

/** One call. Throws BroomeError `engine-build-failed` with the first lines of what the compiler said. */
export async function callCompiler(compiler: string, what: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)(compiler, args, { timeout: CALL_TIMEOUT_MS, maxBuffer: 1 << 22 });
  } catch (cause) {
    const text = (cause as { stderr?: string }).stderr?.trim().split("\n").slice(0, 5).join("\n");
    throw new BroomeError(
      "engine-build-failed",
      `${compiler} failed on ${what}: ${text || (cause as Error).message}`,
      "A C compiler with its standard headers is needed. " + compilerHelp(),
      { cause },
    );
  }
}
