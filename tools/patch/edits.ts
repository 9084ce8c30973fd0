// Changes some bytes of a finished file and mends every sum that covers them: the one way in which tools/patch writes. Pure.

import type { Sha256 } from "../../firmware/format/hash.js";
import { mendImage, reader, verifyImage, type Change } from "../../firmware/format/image.js";
import { BroomeError } from "../error.js";
import { arduinoCrcChange, setArduinoCrc, withoutArduinoCrc } from "./arduino-crc.js";
import { bytesOf, findImages, imageAround, type InnerImage } from "./images.js";

/** A file whose images were found and verified. */
export interface Opened {
  readonly file: Uint8Array; // as given
  /** None in a build for Linux. */
  readonly images: readonly InnerImage[];
  /** The file with zeros in the place of the Arduino core's size and CRC, where it has them; else the file. */
  readonly plain: Uint8Array;
}

/** Bytes that replace as many; they lie within one segment of one image. */
export interface Edit {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly what: string;
}

export interface Patched {
  readonly image: Uint8Array;
  /** Every byte that differs lies in one of these. */
  readonly changed: readonly Change[];
}

/** Throws `image-truncated`, `image-corrupt`, `image-signed`, `image-encrypted`. */
export function open(file: Uint8Array, sha256: Sha256): Opened {
  if (isElf(file)) return { file, plain: file, images: [] };
  const plain = withoutArduinoCrc(file) ?? file;
  return { file, plain, images: findImages(plain, sha256) };
}

/** A copy of the file with `edits` in, every sum mended, verified as the bootloader will, and nothing else changed. */
export function applyEdits(opened: Opened, edits: readonly Edit[], sha256: Sha256): Patched {
  const { file, plain, images } = opened;
  const changed = edits.flatMap((edit) => difference(file, edit));
  if (changed.length === 0) return { image: file.slice(), changed };
  const bytes = plain.slice();
  for (const { offset, bytes: given } of edits) bytes.set(given, offset);
  for (const image of images) {
    if (!changed.some((change) => imageAround([image], change.offset, change.length))) continue;
    const own = bytesOf(bytes, image);
    changed.push(...mendImage(own, sha256).map((change) => shifted(change, image.offset)));
    verifyImage(reader(own), own.length, sha256);
  }
  if (plain !== file) {
    setArduinoCrc(bytes);
    changed.push(arduinoCrcChange);
  }
  if (differsOutside(file, bytes, changed)) throw patchFailed();
  return { image: bytes, changed };
}

/** A build for Linux is a shared library (ELF): no sum covers it. */
export function isElf(file: Uint8Array): boolean {
  return file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

export function patchFailed(): BroomeError {
  return new BroomeError(
    "patch-failed",
    "the patched image does not read back as written",
    "This is a defect of broome; nothing was written.",
  );
}

/** The stretch of an edit that changes, from its first to its last differing byte. */
function difference(file: Uint8Array, { offset, bytes, what }: Edit): Change[] {
  let first = 0;
  while (first < bytes.length && file[offset + first] === bytes[first]) first++;
  if (first === bytes.length) return [];
  let last = bytes.length - 1;
  while (file[offset + last] === bytes[last]) last--;
  return [{ offset: offset + first, length: last - first + 1, what }];
}

function shifted({ offset, length, what }: Change, by: number): Change {
  return { offset: offset + by, length, what };
}

function differsOutside(before: Uint8Array, after: Uint8Array, changed: readonly Change[]): boolean {
  if (before.length !== after.length) return true;
  let at = 0;
  for (const { offset, length } of [...changed].sort((a, b) => a.offset - b.offset)) {
    if (offset > at && differs(before, after, at, offset)) return true;
    at = Math.max(at, offset + length);
  }
  return differs(before, after, at, before.length);
}

/** Word by word: both begin on a word, as whole arrays do. */
function differs(before: Uint8Array, after: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to && (at % 4 !== 0 || before.byteOffset % 4 !== 0 || after.byteOffset % 4 !== 0)) {
    if (before[at] !== after[at]) return true;
    at++;
  }
  if (at === to) return false;
  const words = (to - at) >> 2;
  const one = new Int32Array(before.buffer, before.byteOffset + at, words);
  const other = new Int32Array(after.buffer, after.byteOffset + at, words);
  for (let i = 0; i < words; i++) if (one[i] !== other[i]) return true;
  for (at += words * 4; at < to; at++) if (before[at] !== after[at]) return true;
  return false;
}
