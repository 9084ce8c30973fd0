// The canonical image (PROTOCOL section 3): the one whose defaults block is blank. It is what is signed, hashed and installed.

import { blankDefaults, findDefaults, readDefaults } from "./defaults-block.js";
import type { Sha256 } from "./hash.js";
import { mendImage, reader, verifyImage } from "./image.js";

/** A copy of `image` with a blank defaults block, checksum and digest to match. Throws what verifyImage and findDefaults throw. */
export function canonical(image: Uint8Array, sha256: Sha256): Uint8Array {
  verifyImage(reader(image), image.length, sha256);
  const { offset, capacity } = findDefaults(image);
  const bytes = image.slice();
  bytes.set(blankDefaults(capacity), offset);
  mendImage(bytes, sha256);
  return bytes;
}

/** True where nobody's values are in the image's defaults block. Throws what findDefaults throws, and `defaults-corrupt`. */
export function isBlank(image: Uint8Array): boolean {
  return readDefaults(image.subarray(findDefaults(image).offset)) === undefined;
}
