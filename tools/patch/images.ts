// The images in a file: an app alone, or all of a merged file (esptool's merge-bin; the ESP8266 Arduino core's eboot and app). Pure.

import { FormatError } from "../../firmware/format/error.js";
import type { Sha256 } from "../../firmware/format/hash.js";
import { isSigned } from "../../firmware/format/image-refusals.js";
import { reader, verifyImage, verifyImageFile, type ImageInfo } from "../../firmware/format/image.js";
import {
  PARTITION_TABLE_SIZE,
  parsePartitionTable,
  TYPE_APP,
  type Partition,
} from "../../firmware/format/partition-table.js";
import { BroomeError } from "../error.js";

export interface InnerImage {
  /** Of the image in the file; offsets in `info` count from here. */
  readonly offset: number;
  readonly info: ImageInfo;
}

const SECTOR_SIZE = 4096;
const PARTITION_TABLE_OFFSET = 0x8000; // CONFIG_PARTITION_TABLE_OFFSET's default
const MAGICS = [0xe9, 0xea];
const SIGNATURE_LENGTH_SIZE = 4;
const MAX_SIGNATURE_SIZE = 1024; // of the ESP8266 Arduino core: RSA 2048 takes 256

/**
 * Every image of `file`, verified as its bootloader will, in order of offset.
 * Throws `image-truncated`, `image-corrupt`, `image-signed`, `image-encrypted`.
 */
export function findImages(file: Uint8Array, sha256: Sha256): InnerImage[] {
  try {
    return [{ offset: 0, info: verifyImageFile(file, sha256) }];
  } catch (error) {
    const merged = mayBeMerged(error) ? findMerged(file, sha256) : [];
    if (merged.length === 0) throw error;
    return merged;
  }
}

/** The image whose segments hold all of `length` bytes at `offset` of the file; undefined where none does. */
export function imageAround(
  images: readonly InnerImage[],
  offset: number,
  length: number,
): InnerImage | undefined {
  return images.find((image) =>
    image.info.segments.some((segment) => {
      const start = image.offset + segment.fileOffset;
      return offset >= start && offset + length <= start + segment.length;
    }),
  );
}

/** The image's own bytes, a view. */
export function bytesOf(file: Uint8Array, { offset, info }: InnerImage): Uint8Array {
  return file.subarray(offset, offset + info.size);
}

/** Something follows the first image, or the file does not begin with one. */
function mayBeMerged(error: unknown): boolean {
  return error instanceof FormatError && (error.code === "image-corrupt" || error.code === "image-signed");
}

/** Empty where `file` is no merged file: then it is one damaged image. */
function findMerged(file: Uint8Array, sha256: Sha256): InnerImage[] {
  const first = imageAt(file, firstWritten(file), file.length, sha256);
  if (first === undefined || first.offset % SECTOR_SIZE !== 0) return [];
  const table = tableOf(file);
  const images = table ? [first, ...imagesOfTable(file, table, first, sha256)] : scan(file, first, sha256);
  if (images.length === 1 && images[0]!.offset === 0) return []; // nothing but stray bytes behind it
  images.forEach((image, i) => refuseSigned(file, image, images[i + 1]?.offset ?? file.length));
  if (!table) refuseLeftover(file, images.at(-1)!);
  return images;
}

/** Offset of the first byte that is not FF: merged files of chips that boot from 0x1000 begin with padding. */
function firstWritten(file: Uint8Array): number {
  let at = 0;
  while (at < file.length && file[at] === 0xff) at++;
  return at;
}

function tableOf(file: Uint8Array): Partition[] | undefined {
  const end = PARTITION_TABLE_OFFSET + PARTITION_TABLE_SIZE;
  if (file.length < end) return undefined;
  try {
    return parsePartitionTable(file.subarray(PARTITION_TABLE_OFFSET, end));
  } catch {
    return undefined; // an app lies there, or nothing
  }
}

/** A partition for apps holds a good one, or was left empty. */
function imagesOfTable(
  file: Uint8Array,
  table: readonly Partition[],
  first: InnerImage,
  sha256: Sha256,
): InnerImage[] {
  const images: InnerImage[] = [];
  for (const { type, label, offset, size } of [...table].sort((a, b) => a.offset - b.offset)) {
    if (type !== TYPE_APP || offset >= file.length || file[offset] === 0xff) continue;
    if (offset < first.offset + first.info.size) throw overlapping(label, offset);
    const slot = file.subarray(offset, offset + size);
    try {
      images.push({ offset, info: verifyImage(reader(slot), slot.length, sha256) });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(
        error.code,
        `in partition ${label} at ${hex(offset)}: ${error.message}`,
        error.help,
      );
    }
  }
  return images;
}

/** Without a table: every sector that begins a good image, one behind the other. */
function scan(file: Uint8Array, first: InnerImage, sha256: Sha256): InnerImage[] {
  const images = [first];
  let at = nextSector(first.offset + first.info.size);
  while (at < file.length) {
    const image = imageAt(file, at, file.length, sha256);
    if (image) images.push(image);
    at = image ? nextSector(at + image.info.size) : at + SECTOR_SIZE;
  }
  return images;
}

function imageAt(file: Uint8Array, offset: number, end: number, sha256: Sha256): InnerImage | undefined {
  if (!MAGICS.includes(file[offset] ?? 0)) return undefined;
  const bytes = file.subarray(offset, end);
  try {
    return { offset, info: verifyImage(reader(bytes), bytes.length, sha256) };
  } catch (error) {
    if (error instanceof FormatError) return undefined; // data that happens to begin so
    throw error;
  }
}

/** Between an image and the next one, or the end of the file, lies a signature of Secure Boot. */
function refuseSigned(file: Uint8Array, { offset, info }: InnerImage, end: number): void {
  if (isSigned(file.subarray(offset, end), info.size)) throw signed(offset, offset + info.size);
}

/** The ESP8266 Arduino core signs with a signature and its length behind the app (its tools/signing.py). */
function refuseLeftover(file: Uint8Array, { offset, info }: InnerImage): void {
  const end = offset + info.size;
  const rest = file.length - end;
  let at = end;
  while (at < file.length && file[at] === 0xff) at++;
  if (at === file.length) return;
  if (rest > SIGNATURE_LENGTH_SIZE && rest <= MAX_SIGNATURE_SIZE) {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (view.getUint32(file.length - SIGNATURE_LENGTH_SIZE, true) === rest - SIGNATURE_LENGTH_SIZE)
      throw signed(offset, end);
  }
  throw new BroomeError(
    "image-corrupt",
    `${rest} bytes follow the image at ${hex(offset)}, which ends at ${hex(end)}`,
    "Take the app's file, or a merged file without a file system.",
  );
}

function signed(offset: number, at: number): BroomeError {
  return new BroomeError(
    "image-signed",
    `a signature behind ${hex(at)} covers the image at ${hex(offset)}: any change would break it`,
    "Patch the unsigned image, then sign it.",
  );
}

function overlapping(label: string, offset: number): BroomeError {
  return new BroomeError(
    "image-corrupt",
    `partition ${label} at ${hex(offset)} lies in the image before it`,
    "Merge the file again.",
  );
}

function nextSector(offset: number): number {
  return Math.ceil(offset / SECTOR_SIZE) * SECTOR_SIZE;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
