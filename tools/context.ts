// What a verb gets from the command line: streams, progress, and the options that all verbs share.

import type { SingleBar } from "cli-progress";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Context, Progress } from "./verb.js";

export interface Globals {
  port?: string;
  baud?: number;
  server?: string;
  json?: boolean;
}

/** A package, when it is needed: few runs show a bar. */
const load = createRequire(import.meta.url);

function bytesText(count: number): string {
  return count < 10_000 ? `${count} B` : `${(count / 1024).toFixed(0)} KiB`;
}

/** A bar where a person watches, nothing elsewhere. */
function newProgress(
  tty: boolean,
  label: string,
  total: number,
  unit: "bytes" | "files" | "percent",
): Progress {
  if (!tty) return { update: () => {}, end: () => {} };
  const started = Date.now();
  const { SingleBar: Bar } = load("cli-progress") as { SingleBar: typeof SingleBar };
  const bar = new Bar({
    format: `${label} [{bar}] {percentage}% {amount} {rate}`,
    barCompleteChar: "█",
    barIncompleteChar: "·",
    barsize: 30,
    hideCursor: true,
    stream: process.stderr,
  });
  const fields = (done: number) => {
    const seconds = (Date.now() - started) / 1000;
    return unit === "bytes"
      ? { amount: bytesText(done), rate: seconds > 0.05 ? `${(done / 1024 / seconds).toFixed(1)} KiB/s` : "" }
      : { amount: unit === "files" ? `${done}/${total}` : "", rate: "" };
  };
  bar.start(total, 0, fields(0));
  return {
    update: (done) => bar.update(done, fields(done)),
    end: () => bar.stop(),
  };
}

/** The context of one verb. `NO_COLOR`, `--json` and a missing terminal turn progress bars off. */
export function createContext(
  root: string,
  globals: Globals,
  chain: Context["chain"],
  signal: AbortSignal,
): Context {
  const json = globals.json ?? false;
  const tty = process.stderr.isTTY === true && !json;
  return {
    root,
    cacheDir: join(root, ".broome"),
    port: globals.port || process.env.BROOME_PORT || undefined, // set but empty is not set
    baud: globals.baud,
    server: globals.server || process.env.BROOME_SERVER || undefined,
    json,
    tty,
    signal,
    chain,
    log: (text) => void process.stderr.write(`${text}\n`),
    print: (line) => void process.stdout.write(`${line}\n`),
    progress: (label, total, unit = "bytes") => newProgress(tty, label, total, unit),
  };
}
