// Personalises a finished image: the owner's values go into its defaults block, the sums are mended. Pure.

import {
  BLOCK_HEADER_SIZE,
  encodeDefaults,
  findMarkers,
  readDefaults,
  type Defaults,
} from "../../firmware/format/defaults-block.js";
import type { Sha256 } from "../../firmware/format/hash.js";
import { BroomeError } from "../error.js";
import { applyEdits, isElf, open, patchFailed, type Edit, type Opened, type Patched } from "./edits.js";
import { imageAround } from "./images.js";

export type { Patched } from "./edits.js";

/** The defaults block of one app. */
export interface Block {
  readonly offset: number; // in the file
  readonly capacity: number;
  readonly values: Defaults; // none: it is blank
}

/** A file with its defaults blocks, one in each app that has one. */
export interface Personal extends Opened {
  readonly blocks: readonly Block[];
}

/**
 * Finds the defaults blocks of `image`, which may be a merged file.
 *
 * Throws `image-truncated`, `image-corrupt`, `image-signed`, `image-encrypted`, `defaults-missing`, `defaults-ambiguous`,
 * `defaults-corrupt`.
 */
export function openPersonal(image: Uint8Array, sha256: Sha256): Personal {
  const opened = open(image, sha256);
  const markers = findMarkers(image);
  if (markers.length === 0)
    throw missing("the image holds no defaults block", "For another project's placeholders: --template.");
  const blocks = markers.map((offset) => blockAt(opened, offset));
  refuseAmbiguous(opened, markers);
  return { ...opened, blocks };
}

/** The values in the image; those of all apps of a merged file, which must agree. Throws `defaults-ambiguous`. */
export function valuesOf({ blocks }: Personal): Defaults {
  const [first, ...others] = blocks;
  const other = others.find(({ values }) => JSON.stringify(values) !== JSON.stringify(first!.values));
  if (other === undefined) return first!.values;
  throw new BroomeError(
    "defaults-ambiguous",
    `the apps at ${hex(first!.offset)} and ${hex(other.offset)} hold different values`,
    "Use --blank: it takes out what is in the image first.",
  );
}

/**
 * The file with `values` in the block of every app, and nothing else changed; no values = blank. The result was verified as the
 * bootloader will, and read back. Throws `value-too-long`, `value-not-utf8`.
 */
export function personalise(personal: Personal, values: Defaults, sha256: Sha256): Patched {
  const edits: Edit[] = personal.blocks.map(({ offset, capacity }) => ({
    offset,
    bytes: encodeDefaults(values, capacity),
    what: "defaults",
  }));
  const patched = applyEdits(personal, edits, sha256);
  for (const { offset } of edits) {
    const back = readDefaults(patched.image.subarray(offset)) ?? {};
    if (JSON.stringify(back) !== JSON.stringify(values)) throw patchFailed();
  }
  return patched;
}

/** openPersonal and personalise in one. */
export function patch(image: Uint8Array, values: Defaults, { sha256 }: { sha256: Sha256 }): Patched {
  return personalise(openPersonal(image, sha256), values, sha256);
}

/** openPersonal and valuesOf in one. */
export function readValues(image: Uint8Array, { sha256 }: { sha256: Sha256 }): Defaults {
  return valuesOf(openPersonal(image, sha256));
}

function blockAt({ file, images }: Opened, offset: number): Block {
  // a damaged block is not written over
  const values = readDefaults(file.subarray(offset)) ?? {};
  const capacity = new DataView(file.buffer, file.byteOffset + offset).getUint16(18, true);
  if (isElf(file) || imageAround(images, offset, BLOCK_HEADER_SIZE + capacity) !== undefined)
    return { offset, capacity, values };
  throw missing(
    `the marker at ${hex(offset)} lies in no segment of the image`,
    "Build the firmware with this version of broome.",
  );
}

/** Every app of a merged file is patched, and each has one block. */
function refuseAmbiguous({ file, images }: Opened, markers: readonly number[]): void {
  if (isElf(file) && markers.length > 1)
    throw new BroomeError(
      "defaults-ambiguous",
      `the program holds ${markers.length} defaults blocks, at ${markers.map(hex).join(", ")}`,
      "Build one that has its resource only once.",
    );
  for (const image of images) {
    const own = markers.filter((at) => imageAround([image], at, BLOCK_HEADER_SIZE) !== undefined);
    if (own.length > 1)
      throw new BroomeError(
        "defaults-ambiguous",
        `the app at ${hex(image.offset)} holds ${own.length} defaults blocks, at ${own.map(hex).join(", ")}`,
        "Build an image that has its resource only once.",
      );
  }
}

function missing(message: string, help: string): BroomeError {
  return new BroomeError("defaults-missing", message, help);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
