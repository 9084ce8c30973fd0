// ESP app images: of the ESP32 family (ESP-IDF, "App Image Format"; esp_image_format.h) and of the ESP8266, both forms (esptool's
// bin_image.py): header, segments, checksum, then a SHA-256, nothing, or a CRC-32.

import { crc32 } from "./crc32.js";
import { FormatError } from "./error.js";
import type { Hash, Sha256 } from "./hash.js";
import {
  checksumAfter,
  CRC_SIZE,
  DIGEST_SIZE,
  HEADER_SIZE,
  isEsp8266,
  MAGIC,
  MAGIC_V2,
  MAX_SEGMENT_LENGTH,
  MAX_SEGMENTS,
  parseEsp32,
  parseEsp8266,
  parseEsp8266V2,
  SEGMENT_HEADER_SIZE,
  SHORT_HEADER_SIZE,
} from "./image-forms.js";
import { corruptImage as corrupt, isSigned, notAnImage } from "./image-refusals.js";

/** Reads `length` bytes at `offset`, at most 1 KB at a time, so that flash and files are the same. */
export type Read = (offset: number, length: number) => Uint8Array;

/**
 * `esp32`: 24-byte header with chip id, SHA-256. `esp8266`: 8-byte header, first byte E9. `esp8266-v2`: first byte EA, the part that
 * is mapped from flash in front, outside the checksum, then an `esp8266` image, then a CRC-32.
 */
export type ImageForm = "esp32" | "esp8266" | "esp8266-v2";

export interface Segment {
  readonly fileOffset: number; // of the data, behind its 8-byte header
  readonly loadAddress: number;
  readonly length: number; // bytes, a multiple of 4
  readonly summed: boolean; // in the checksum
}

export interface ImageInfo {
  readonly form: ImageForm;
  readonly chipId: number | undefined; // images of the ESP8266 have none
  readonly entry: number;
  readonly flashMode: number;
  readonly flashSize: number; // high nibble of byte 3; what it means differs by form
  readonly flashFrequency: number; // low nibble of byte 3
  readonly minRevision: number; // major * 100 + minor
  readonly maxRevision: number;
  /** At least one; the app descriptor, where there is one, begins the first. */
  readonly segments: readonly Segment[];
  readonly checksumOffset: number;
  readonly checksum: number; // as stored
  readonly hashAppended: boolean;
  readonly digestOffset: number | undefined;
  readonly crcOffset: number | undefined; // of an `esp8266-v2` image
  readonly size: number; // of the whole image, digest or CRC included
}

/** What buildImage needs; the codes of flashMode and the rest are the header's own. */
export interface ImageParts {
  /** Default: `esp32`. Its chip id and revisions are not in an `esp8266` header. */
  readonly form?: ImageForm;
  readonly chipId: number | undefined;
  readonly entry: number;
  readonly flashMode: number;
  readonly flashSize: number;
  readonly flashFrequency: number;
  readonly minRevision: number;
  readonly maxRevision: number;
  readonly segments: readonly { readonly loadAddress: number; readonly data: Uint8Array }[];
}

export interface Change {
  readonly offset: number;
  readonly length: number;
  readonly what: string;
}

const CHECKSUM_SEED = 0xef;
const READ_SIZE = 1024;

/**
 * Header and segment table of the image at offset 0 of `read`, which holds `limit` bytes (a file, a slot). Checks structure, not
 * checksum or digest, and takes no notice of what lies behind the image: in a slot that is whatever was there before.
 * Throws `image-truncated`, `image-corrupt`, `image-encrypted`.
 */
export function parseImage(read: Read, limit: number): ImageInfo {
  const first = limit > 0 ? read(0, 1)[0]! : MAGIC;
  if (first === MAGIC_V2) return parseEsp8266V2(read, limit);
  if (first !== MAGIC) throw notAnImage(first, read, limit);
  return isEsp8266(read, limit) ? parseEsp8266(read, limit) : parseEsp32(read, limit);
}

/** What an image's sums are, and whether the stored ones agree. */
export interface ImageSums {
  readonly checksum: number; // as computed
  /** Absent where the image has no SHA-256. */
  readonly digest: { readonly stored: Uint8Array; readonly valid: boolean } | undefined;
  /** Absent where the image has no CRC-32. */
  readonly crc: { readonly stored: number; readonly valid: boolean } | undefined;
}

/**
 * Verifies checksum, SHA-256 and CRC-32 as the bootloader does, in its words; reads at most 1 KB at a time.
 * Throws what parseImage throws, and `image-corrupt`.
 */
export function verifyImage(read: Read, limit: number, sha256: Sha256): ImageInfo {
  const info = parseImage(read, limit);
  const { checksum, digest, crc } = checkImage(read, info, sha256);
  if (checksum !== info.checksum)
    throw corrupt(`Checksum failed. Calculated ${hex(checksum)} read ${hex(info.checksum)}`);
  if (digest && !digest.valid) throw corrupt("Image hash failed - image is corrupt");
  if (crc && !crc.valid) throw corrupt(`the image's CRC-32 does not match, it says ${hex(crc.stored)}`);
  return info;
}

/** Computes the sums of a parsed image, checksum and SHA-256 in one pass. */
export function checkImage(read: Read, info: ImageInfo, sha256: Sha256): ImageSums {
  const hash = info.hashAppended ? sha256() : undefined;
  let at = 0;
  let checksum = CHECKSUM_SEED;
  for (let i = 0; i < info.segments.length; i++) {
    const { fileOffset, length, summed } = info.segments[i]!;
    walk(read, at, fileOffset, hash);
    checksum ^= walk(read, fileOffset, fileOffset + length, hash, summed);
    at = fileOffset + length;
  }
  const crc = info.crcOffset === undefined ? undefined : checkCrc(read, info.crcOffset);
  if (!hash) return { checksum, digest: undefined, crc };
  walk(read, at, info.digestOffset!, hash);
  const stored = read(info.digestOffset!, DIGEST_SIZE);
  return { checksum, digest: { stored, valid: equal(hash.digest(), stored) }, crc };
}

function checkCrc(read: Read, offset: number): { stored: number; valid: boolean } {
  const stored = view(read(offset, CRC_SIZE)).getUint32(0, true);
  return { stored, valid: imageCrc(read, offset) === stored };
}

/** CRC-32 of the bytes before `end`, in the form that boot_v1.x compares: one more, or inverted where its top bit is set. */
function imageCrc(read: Read, end: number): number {
  let crc = 0;
  for (let at = 0; at < end; at += READ_SIZE) crc = crc32(read(at, Math.min(READ_SIZE, end - at)), crc);
  return crc >= 0x80000000 ? ~crc >>> 0 : crc + 1;
}

/**
 * Verifies a whole file: the image, and that nothing but padding (FF) follows it.
 * Throws what verifyImage throws, and `image-signed` where a Secure Boot signature follows.
 */
export function verifyImageFile(bytes: Uint8Array, sha256: Sha256): ImageInfo {
  const info = parseImage(reader(bytes), bytes.length);
  if (isSigned(bytes, info.size))
    throw new FormatError(
      "image-signed",
      `a Secure Boot signature follows the image at ${hex(info.size)}: any change would break it`,
      "Patch the unsigned image, then sign it.",
    );
  for (let i = info.size; i < bytes.length; i++)
    if (bytes[i] !== 0xff)
      throw corrupt(`${bytes.length - info.size} bytes follow the image, which ends at ${hex(info.size)}`);
  return verifyImage(reader(bytes), bytes.length, sha256);
}

/**
 * A valid image of `parts`, with a SHA-256 where its form has one; data is padded with zeros to whole words.
 * Throws `image-corrupt` for segments that no image can hold, and for `esp8266-v2`, which this does not make.
 */
export function buildImage(parts: ImageParts, sha256: Sha256): Uint8Array {
  if (parts.segments.length === 0 || parts.segments.length > MAX_SEGMENTS)
    throw corrupt(`${parts.segments.length} segments are not 1 to ${MAX_SEGMENTS}`);
  const { form = "esp32" } = parts;
  if (form === "esp8266-v2") throw corrupt("images of the form esp8266-v2 are only read");
  const isLong = form === "esp32";
  let end = isLong ? HEADER_SIZE : SHORT_HEADER_SIZE;
  for (const { data } of parts.segments) {
    if (data.length >= MAX_SEGMENT_LENGTH - 3) throw corrupt(`a segment of ${data.length} bytes is too long`);
    end += SEGMENT_HEADER_SIZE + words(data.length);
  }
  const bytes = new Uint8Array(checksumAfter(end) + 1 + (isLong ? DIGEST_SIZE : 0));
  const out = view(bytes);
  out.setUint8(0, MAGIC);
  out.setUint8(1, parts.segments.length);
  out.setUint8(2, parts.flashMode);
  out.setUint8(3, (parts.flashSize << 4) | parts.flashFrequency);
  out.setUint32(4, parts.entry, true);
  if (isLong) writeExtendedHeader(out, parts);
  let at = isLong ? HEADER_SIZE : SHORT_HEADER_SIZE;
  for (const { loadAddress, data } of parts.segments) {
    out.setUint32(at, loadAddress, true);
    out.setUint32(at + 4, words(data.length), true);
    bytes.set(data, at + SEGMENT_HEADER_SIZE);
    at += SEGMENT_HEADER_SIZE + words(data.length);
  }
  mendImage(bytes, sha256);
  return bytes;
}

function writeExtendedHeader(out: DataView, { chipId, minRevision, maxRevision }: ImageParts): void {
  out.setUint8(8, 0xee); // WP pin: disabled, as esptool writes it
  out.setUint16(12, chipId ?? 0xffff, true); // ESP_CHIP_ID_INVALID
  out.setUint16(15, minRevision, true);
  out.setUint16(17, maxRevision, true);
  out.setUint8(23, 1);
}

/**
 * Computes checksum, digest and CRC of the image in `bytes` anew, in place; returns what it changed.
 * Throws what parseImage throws.
 */
export function mendImage(bytes: Uint8Array, sha256: Sha256): Change[] {
  const read = reader(bytes);
  const info = parseImage(read, bytes.length);
  const changes: Change[] = [];
  let sum = CHECKSUM_SEED;
  for (const { fileOffset, length, summed } of info.segments)
    sum ^= walk(read, fileOffset, fileOffset + length, undefined, summed);
  if (sum !== info.checksum) {
    bytes[info.checksumOffset] = sum;
    changes.push({ offset: info.checksumOffset, length: 1, what: "checksum" });
  }
  if (info.digestOffset !== undefined) mendDigest(bytes, info.digestOffset, sha256, changes);
  if (info.crcOffset !== undefined) mendCrc(bytes, info.crcOffset, changes);
  return changes;
}

function mendDigest(bytes: Uint8Array, offset: number, sha256: Sha256, changes: Change[]): void {
  const hash = sha256();
  hash.update(bytes.subarray(0, offset));
  const digest = hash.digest();
  if (equal(digest, bytes.subarray(offset, offset + DIGEST_SIZE))) return;
  bytes.set(digest, offset);
  changes.push({ offset, length: DIGEST_SIZE, what: "SHA-256" });
}

function mendCrc(bytes: Uint8Array, offset: number, changes: Change[]): void {
  if (checkCrc(reader(bytes), offset).valid) return;
  view(bytes).setUint32(offset, imageCrc(reader(bytes), offset), true);
  changes.push({ offset, length: CRC_SIZE, what: "CRC-32" });
}

/** Reads from bytes in memory. */
export function reader(bytes: Uint8Array): Read {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

/** Hashes `from` up to `to`; with `sum`, returns the XOR of the bytes as well. */
function walk(read: Read, from: number, to: number, hash: Hash | undefined, sum = false): number {
  let result = 0;
  for (let at = from; at < to; at += READ_SIZE) {
    const piece = read(at, at + READ_SIZE < to ? READ_SIZE : to - at);
    hash?.update(piece);
    if (sum) result ^= xor(piece);
  }
  return result;
}

/** XOR of all bytes; a word at a time where the memory is aligned, as the bootloader does. */
function xor(bytes: Uint8Array): number {
  let sum = 0;
  if (bytes.byteOffset % 4 !== 0 || bytes.length % 4 !== 0) {
    for (let i = 0; i < bytes.length; i++) sum ^= bytes[i]!;
    return sum;
  }
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (let i = 0; i < words.length; i++) sum ^= words[i]!;
  return (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function words(length: number): number {
  return length + ((4 - (length % 4)) % 4);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(value: number): string {
  return "0x" + value.toString(16);
}
