// Files with credentials in them: written whole or not at all, for their owner's eyes; and reading what a user named.

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { BroomeError } from "./error.js";

/** Mode 0600. Throws `file-unwritable`. */
export function writePrivately(path: string, bytes: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    const message = `${path}: ${(cause as Error).message}`;
    throw new BroomeError("file-unwritable", message, "Choose another place with -o.", { cause });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Throws `file-unreadable`. */
export function readNamedFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const message = `${path}: ${(cause as Error).message}`;
    throw new BroomeError("file-unreadable", message, "Check the name.", { cause });
  }
}

/** True where both names lead to one file, by links too. */
export function sameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a === b || (one !== undefined && one.ino === other?.ino && one.dev === other.dev);
}
