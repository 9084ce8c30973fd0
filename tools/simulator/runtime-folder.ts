// Where running boards keep what goes with them: control sockets and temporary flash files, named after their process.

import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BroomeError } from "../error.js";

const MAX_FOLDER = 80; // bytes; sun_path of unix(7) has 108, and names follow

let count = 0;

/**
 * A path for this process alone, in a folder that only this user can enter. What processes left that were killed is
 * removed on the way.
 *
 * @throws BroomeError `folder-not-ours` where another user has taken the name
 */
export function runtimePath(suffix: string): string {
  const parent = Buffer.byteLength(tmpdir()) <= MAX_FOLDER ? tmpdir() : "/tmp";
  const user = process.getuid?.() ?? 0;
  const folder = join(parent, `broome-sim-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (process.getuid && found.uid !== user))
    throw new BroomeError(
      "folder-not-ours",
      `${folder} belongs to somebody else`,
      "Set TMPDIR to a folder of your own.",
    );
  chmodSync(folder, 0o700);
  sweep(folder);
  count += 1;
  return join(folder, `${process.pid}-${count}${suffix}`);
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isThere(pid)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
