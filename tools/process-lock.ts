// One process at a time: a lock file that names its process, and is void once that process is gone (open(2), O_EXCL).

import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

const TRIES = 3; // each finds another lock void
const NAMED_AFTER_MS = 10_000; // a process that stands still longer between two calls has lost it

/** Who has a lock; undefined: it was just taken or given back. */
export interface Holder {
  readonly pid: number | undefined;
}

/** In words, for whoever is refused. */
export function holderText({ pid }: Holder): string {
  return pid === undefined ? "another process" : `process ${pid}`;
}

/**
 * Takes the lock file at `path`, or says who has it. The lock of a process that was killed is taken over.
 *
 * @returns what gives it back, or the holder
 * @throws the error of node:fs where the file cannot be written
 */
export function tryLock(path: string): (() => void) | Holder {
  const own = `${process.pid} ${startOf(process.pid) ?? "-"}\n`;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (isVoid(path)) removeVoid(path);
    else {
      const text = read(path);
      if (text !== undefined) return { pid: livingHolder(text) };
    }
  }
  return { pid: undefined };
}

/** One process at a time, or the second would remove the new lock of the first: it looks again once it is alone. */
function removeVoid(path: string): void {
  const alone = `${path}.void`;
  if (!isNew(alone)) rmSync(alone, { force: true }); // of a process that was killed in here
  try {
    writeFileSync(alone, "", { flag: "wx" });
  } catch {
    return; // another is at it
  }
  try {
    if (isVoid(path)) rmSync(path, { force: true });
  } finally {
    rmSync(alone, { force: true });
  }
}

function isVoid(path: string): boolean {
  const text = read(path);
  return text !== undefined && livingHolder(text) === undefined && (text !== "" || !isNew(path));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Made, and its process not named in it yet. */
function isNew(path: string): boolean {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Date.now() - made < NAMED_AFTER_MS;
}

function livingHolder(text: string): number | undefined {
  const [pidText, start = "-"] = text.trim().split(" ");
  const pid = Number(pidText);
  return isAlive(pid, start) ? pid : undefined;
}

function isAlive(pid: number, start: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
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
