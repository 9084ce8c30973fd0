// Files with credentials in them: written whole or not at all, for their owner's eyes.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { BroomeError } from "./error.js";

/** Mode 0600. Throws `file-unwritable`. */
export function writePrivately(path: string, bytes: Uint8Array | string): void {
  withTemporary(path, (temporary, file) => {
    writeFileSync(file, bytes);
    fsyncSync(file);
    return () => renameSync(temporary, path);
  });
}

/** Before long work, or what cannot be taken back: could the result be written? Throws `file-unwritable`. */
export function checkWritable(path: string): void {
  withTemporary(path, () => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error("is a folder");
  });
}

/** `work` fills a new file beside `path`; what it returns is done when that is closed. Under its name nothing is left. */
function withTemporary(path: string, work: (temporary: string, file: number) => (() => void) | void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "wx", 0o600);
    let finish: (() => void) | void;
    try {
      finish = work(temporary, file);
    } finally {
      closeSync(file);
    }
    finish?.();
  } catch (cause) {
    const message = `${path}: ${(cause as Error).message}`;
    throw new BroomeError("file-unwritable", message, "Choose another place, or make room there.", { cause });
  } finally {
    rmSync(temporary, { force: true });
  }
}
