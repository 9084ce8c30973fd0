// A file that is there whole or not at all, and for its owner's eyes.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { BroomeError } from "../error.js";

/** @throws BroomeError `file-unwritable` */
export function writeWhole(path: string, bytes: Uint8Array | string): void {
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
    throw new BroomeError("file-unwritable", message, "Choose another place.", { cause });
  } finally {
    rmSync(temporary, { force: true });
  }
}
