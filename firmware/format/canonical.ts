// The canonical image (PROTOCOL section 3): the one whose defaults block is blank. It is what is signed, hashed and installed.

import { parseAppDescriptor } from "./app-descriptor.js";
import { BLOCK_VERSION, blankDefaults, findDefaults, readDefaults } from "./defaults-block.js";
import type { Sha256 } from "./hash.js";
import { mendImage, parseImage, reader, verifyImage } from "./image.js";

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

/** What an image says by itself of the things that its manifest repeats (PROTOCOL section 3). */
export interface ImageFacts {
  version: string;
  sc: number; // security counter
  block: [offset: number, capacity: number, version: number]; // the defaults block
}

/** Throws what parseImage, parseAppDescriptor and findDefaults throw. */
export function imageFacts(image: Uint8Array): ImageFacts {
  const [first] = parseImage(reader(image), image.length).segments;
  const { version, secureVersion } = parseAppDescriptor(image.subarray(first!.fileOffset));
  const { offset, capacity } = findDefaults(image);
  return { version, sc: secureVersion, block: [offset, capacity, BLOCK_VERSION] };
}
