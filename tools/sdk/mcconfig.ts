// Runs the SDK's mcconfig, tells how far it is, and turns what went wrong into an error that can be acted on.

import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { delimiter, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { BroomeError } from "../error.js";
import type { Sdk } from "./find.js";
import { overflowOf } from "./limits.js";
import { stepOf } from "./steps.js";
import type { SdkTarget } from "./target.js";

export interface RunOptions {
  readonly sdk: Sdk;
  readonly target: SdkTarget;
  /** The folder of the manifest. */
  readonly folder: string;
  /** Must be there. */
  readonly out: string;
  /** Gets everything that is said, as it comes. */
  readonly logFile: string;
  /** Write the makefile and all that comes with it, and stop there. */
  readonly generateOnly?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** A step begins: a file is compiled, linked, packed. */
  onStep?(what: string): void;
}

const LAST_LINES = 12;

/**
 * make's own words, and idf.py's: make goes on after a line that the makefile marks with "-", and one of these is ESP-IDF's whole build
 * (make.esp32.mk, "build"); mcconfig runs it with -s, so that it does not even say so.
 */
const FAILED = /\*\*\* \[.*\] Error \d+|^\w+ failed with exit code \d+/m;

/** Throws `app-too-big`, `sdk-build-failed`. */
export async function runMcconfig(options: RunOptions): Promise<void> {
  const { sdk, target, folder, out, signal } = options;
  const argv = ["-p", target.platform, "-o", out];
  if (!options.generateOnly) argv.push("-m", "-t", "build"); // "build" stops before a board is looked for
  const env = {
    ...options.env,
    MODDABLE: sdk.root,
    LANGUAGE: "en", // what make, compiler and linker say is read below; gettext puts it above LC_ALL
    PATH: [sdk.tools, options.env.PATH ?? ""].join(delimiter),
  };
  const log = openSync(options.logFile, "w");
  const onText = (text: string) => void writeSync(log, text);
  const { code, output } = await run(
    join(sdk.tools, "mcconfig"),
    argv,
    { cwd: folder, env, signal },
    { onText, ...(options.onStep && { onStep: options.onStep }) },
  ).finally(() => closeSync(log));
  signal?.throwIfAborted();
  if (code === 0 && !FAILED.test(output)) return;
  throw overflowOf(target.chip, output) ?? failed(output, options.logFile);
}

/** What only looks like an error: what make, CMake and ninja say that they do, with `-Wno-error` and the like in it. */
const DOINGS = /^(?:# (?:cc|xsc|tsc|xsid|cpp|copy) |Executing |\[\d+\/\d+\] |: && |cd |\S*gcc |\S*g\+\+ )/;
const ERRORS = /\berror\b|failed with exit code|\w+Error:|\*\*\*|No such file|undefined reference/i;
const MAX_LINE = 400; // characters

function failed(output: string, logFile: string): BroomeError {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => line.trim() !== "" && !DOINGS.test(line));
  const errors = lines.filter((line) => ERRORS.test(line));
  const told = (errors.length > 0 ? errors.slice(0, LAST_LINES) : lines.slice(-LAST_LINES))
    .map((line) => line.slice(0, MAX_LINE))
    .join("\n");
  return new BroomeError(
    "sdk-build-failed",
    `mcconfig failed:\n${told}`,
    `All that it said is in ${logFile}.`,
  );
}

interface Ears {
  onText(text: string): void;
  onStep?(what: string): void;
}

interface Where {
  readonly cwd: string;
  readonly env: Record<string, string | undefined>;
  readonly signal: AbortSignal | undefined;
}

function run(
  program: string,
  argv: readonly string[],
  { cwd, env, signal }: Where,
  { onText, onStep }: Ears,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // A group of its own: make and its compilers end with it.
    const child = spawn(program, argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const end = () => {
      try {
        process.kill(-child.pid!, "SIGTERM");
      } catch {
        // it has ended already
      }
    };
    signal?.addEventListener("abort", end, { once: true });
    let output = "";
    let partial = "";
    const take = (text: string) => {
      output += text;
      onText(text);
      const lines = (partial + text).split("\n");
      partial = lines.pop()!;
      for (const line of lines) {
        const step = stepOf(line);
        if (step !== undefined) onStep?.(step);
      }
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", reject);
    child.on("close", (code) => {
      signal?.removeEventListener("abort", end);
      resolve({ code, output });
    });
  });
}
