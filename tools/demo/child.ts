// Runs `broome` verbs as a user would: one process each, JSON on stdout, ended with the demo.

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BroomeError } from "../error.js";

const FIRST_LINE_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;

/** A long-running verb (`sim`, `serve`) whose first line of stdout told where it listens. */
export interface Service {
  readonly first: Record<string, string>;
  readonly pid: number;
  /** SIGTERM, then SIGKILL after a while. */
  end(): Promise<void>;
  /** Lets it live on after us. */
  detach(): void;
}

function start(root: string, argv: string[], env: Record<string, string>, logFile: string): ChildProcess {
  const log = openSync(logFile, "a", 0o600); // a file, not a pipe: it outlives us under --keep
  writeSync(log, `$ broome ${argv.join(" ")}\n`);
  try {
    return spawn(process.execPath, [join(root, "tools/bin/broome.mjs"), ...argv], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", log],
      detached: true, // Ctrl-C is ours to handle: the children are ended in order
    });
  } finally {
    closeSync(log);
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a verb that keeps running and waits for its first line.
 *
 * @throws BroomeError `demo-service` where it ends or stays silent; its own words are in `logFile`
 */
export function startService(
  root: string,
  argv: string[],
  logFile: string,
  env: Record<string, string> = {},
): Promise<Service> {
  const child = start(root, argv, env, logFile);
  let ended: number | null | undefined;
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill); // nothing is left behind, however we end
  const gone = new Promise<void>((resolve) => {
    child.once("exit", (code) => {
      ended = code;
      process.off("exit", kill);
      resolve();
    });
  });
  return new Promise((resolve, reject) => {
    const failed = (what: string) => {
      child.kill("SIGKILL");
      reject(new BroomeError("demo-service", `broome ${argv[0]} ${what}`, `Its own words are in ${logFile}`));
    };
    const timer = setTimeout(() => failed("said nothing"), FIRST_LINE_TIMEOUT_MS);
    void gone.then(() => {
      clearTimeout(timer);
      failed(`ended with ${ended}`);
    });
    createInterface({ input: child.stdout! }).once("line", (line) => {
      clearTimeout(timer);
      const first = parse(line);
      if (!first) return failed(`began with ${line.slice(0, 200)}`);
      child.stdout!.resume();
      resolve({
        first: first as Record<string, string>,
        pid: child.pid!,
        async end() {
          if (ended !== undefined) return;
          child.kill("SIGTERM");
          const hard = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
          await gone;
          clearTimeout(hard);
        },
        detach() {
          process.off("exit", kill);
          child.unref();
          child.stdout!.destroy();
        },
      });
    });
  });
}

/**
 * Runs a verb to its end with --json and gives its result.
 *
 * @throws BroomeError with the verb's own code, message and help
 */
export function runVerb(
  root: string,
  argv: string[],
  logFile: string,
  env: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const child = start(root, [...argv, "--json"], env, logFile);
  return new Promise((resolve, reject) => {
    let last = "";
    createInterface({ input: child.stdout! }).on("line", (line) => (last = line));
    child.once("close", (code) => {
      const result = parse(last);
      if (result?.ok === true) return resolve(result);
      const { code: name, message, help } = (result ?? {}) as Record<string, string>;
      reject(
        new BroomeError(
          name ?? "demo-verb",
          message ?? `broome ${argv[0]} ended with ${code}`,
          help ?? `Its own words are in ${logFile}`,
        ),
      );
    });
  });
}
