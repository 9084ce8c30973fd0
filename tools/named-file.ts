// Files that a user named: read whole, within bounds, and an error that says which one.

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { FormatError } from "../firmware/format/error.js";
import { decodeUtf8 } from "../firmware/format/utf8.js";
import { BroomeError } from "./error.js";

/** More than any flash chip of these boards holds, and any list of devices. */
const MAX_SIZE = 64 << 20; // bytes
const PIECE = 64 << 10; // bytes
const BOM = "\ufeff";

/** All bytes of a file or a pipe. Throws `file-unreadable`, `file-too-large`. */
export function readNamedFile(path: string): Uint8Array {
  let bytes: Uint8Array | undefined;
  try {
    const file = openSync(path, "r");
    try {
      bytes = readAll(file, fstatSync(file).size);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const message = `${path}: ${(cause as Error).message}`;
    throw new BroomeError("file-unreadable", message, "Check the name.", { cause });
  }
  if (bytes !== undefined) return bytes;
  const message = `${path} is larger than ${MAX_SIZE >> 20} MiB`;
  throw new BroomeError("file-too-large", message, "Check the name: no such file is as large.");
}

/** The same as text, without the mark that some editors put before it. Throws also `value-not-utf8`. */
export function readNamedText(path: string): string {
  const bytes = readNamedFile(path);
  try {
    const text = decodeUtf8(bytes);
    return text.startsWith(BOM) ? text.slice(BOM.length) : text;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new BroomeError(error.code, `${path}: ${error.message}`, "Save the file as UTF-8.", {
      cause: error,
    });
  }
}

/** True where both names lead to one file, by links too. */
export function sameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a === b || (one !== undefined && one.ino === other?.ino && one.dev === other.dev);
}

/** Undefined where there is more than MAX_SIZE: a device, say, has no end. `expected`: bytes, 0 for a pipe. */
function readAll(file: number, expected: number): Uint8Array | undefined {
  if (expected > MAX_SIZE) return undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let size = expected || PIECE; length <= MAX_SIZE; size = PIECE) {
    const piece = new Uint8Array(size);
    const count = readSync(file, piece, 0, size, null);
    if (count === 0) return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces));
    pieces.push(count === size ? piece : piece.subarray(0, count));
    length += count;
  }
  return undefined;
}
