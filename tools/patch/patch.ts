// Personalises a finished image: the owner's values go into its defaults block, checksum and digest are mended. Pure.

import {
  BLOCK_HEADER_SIZE,
  encodeDefaults,
  findDefaults,
  readDefaults,
  type Defaults,
} from "../../firmware/format/defaults-block.js";
import type { Sha256 } from "../../firmware/format/hash.js";
import { mendImage, verifyImageFile, type Change } from "../../firmware/format/image.js";
import { BroomeError } from "../error.js";

export interface Patched {
  readonly image: Uint8Array;
  /** Every byte that differs lies in one of these. */
  readonly changed: readonly Change[];
}

/**
 * `image` with `values` as its defaults and nothing else changed; no values = blank. The result was verified as the bootloader
 * will, and read back.
 *
 * Throws `image-truncated`, `image-corrupt`, `image-signed`, `image-encrypted`, `defaults-missing`, `defaults-ambiguous`,
 * `defaults-corrupt`, `value-too-long`, `value-not-utf8`.
 */
export function patch(image: Uint8Array, values: Defaults, { sha256 }: { sha256: Sha256 }): Patched {
  const { offset, capacity } = locate(image, sha256);
  const bytes = image.slice();
  const block = encodeDefaults(values, capacity);
  const changed = difference(image, block, offset);
  bytes.set(block, offset);
  changed.push(...mendImage(bytes, sha256));
  verifyImageFile(bytes, sha256);
  const back = readDefaults(bytes.subarray(offset)) ?? {};
  if (JSON.stringify(back) !== JSON.stringify(values) || countOutside(image, bytes, changed) > 0)
    throw new BroomeError(
      "patch-failed",
      "the patched image does not read back as written",
      "This is a defect of broome; nothing was written.",
    );
  return { image: bytes, changed };
}

/** The values in `image`; none where its block is blank. Throws what patch throws of images. */
export function readValues(image: Uint8Array, { sha256 }: { sha256: Sha256 }): Defaults {
  return readDefaults(image.subarray(locate(image, sha256).offset)) ?? {};
}

function locate(image: Uint8Array, sha256: Sha256): { offset: number; capacity: number } {
  const info = verifyImageFile(image, sha256);
  const found = findDefaults(image);
  readDefaults(image.subarray(found.offset)); // a damaged block is not written over
  const end = found.offset + BLOCK_HEADER_SIZE + found.capacity;
  const inside = info.segments.some(
    ({ fileOffset, length }) => found.offset >= fileOffset && end <= fileOffset + length,
  );
  if (inside) return found;
  throw new BroomeError(
    "defaults-missing",
    `the marker at 0x${found.offset.toString(16)} lies in no segment of the image`,
    "Build the firmware with this version of broome.",
  );
}

/** The stretch of the block that changes, from its first to its last differing byte. */
function difference(image: Uint8Array, block: Uint8Array, offset: number): Change[] {
  let first = 0;
  while (first < block.length && image[offset + first] === block[first]) first++;
  if (first === block.length) return [];
  let last = block.length - 1;
  while (image[offset + last] === block[last]) last--;
  return [{ offset: offset + first, length: last - first + 1, what: "defaults" }];
}

function countOutside(before: Uint8Array, after: Uint8Array, changed: readonly Change[]): number {
  let count = Math.abs(before.length - after.length);
  for (let at = 0; at < before.length; at++)
    if (before[at] !== after[at] && !changed.some((c) => at >= c.offset && at < c.offset + c.length)) count++;
  return count;
}
