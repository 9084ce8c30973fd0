// One board to a flash file: a lock file that names its process, and is void once that process is gone.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { BroomeError } from "../error.js";

/**
 * Takes the lock beside the flash file.
 *
 * @returns what gives it back; the lock of a process that was killed is taken over
 * @throws BroomeError `flash-busy`
 */
export function lockFlash(flashFile: string): () => void {
  const path = `${flashFile}.lock`;
  const own = `${process.pid} ${startOf(process.pid) ?? "-"}\n`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) throw busy(flashFile, holder.pid);
    rmSync(path, { force: true });
  }
  throw busy(flashFile, undefined);
}

interface Holder {
  pid: number;
  start: string;
}

function busy(flashFile: string, pid: number | undefined): BroomeError {
  const by = pid === undefined ? "another process" : `process ${pid}`;
  return new BroomeError(
    "flash-busy",
    `${flashFile} is the flash of a board that runs (${by})`,
    "End that board, or give this one another file with --flash.",
  );
}

function readHolder(path: string): Holder | undefined {
  try {
    const [pid, start] = readFileSync(path, "utf8").trim().split(" ");
    return { pid: Number(pid), start: start ?? "-" };
  } catch {
    return undefined; // given back meanwhile
  }
}

function isAlive({ pid, start }: Holder): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (ended.has(statOf(pid)?.[STATE] ?? "")) return false;
  const now = startOf(pid);
  return now === undefined || start === "-" || now === start;
}

/** Field numbers of proc(5)'s stat, counted from the one after the command's name. */
const STATE = 0;
const START_TIME = 19;
/** A zombie or a dead process: killed, and its parent has not asked for it yet. */
const ended = new Set(["Z", "X"]);

function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // no /proc here
  }
}

/** When a process began, in ticks since boot: tells apart two with the same number. */
function startOf(pid: number): string | undefined {
  return statOf(pid)?.[START_TIME];
}
