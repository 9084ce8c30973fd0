// ESP app image of the ESP32 family (ESP-IDF, "App Image Format"; esp_image_format.h): 24-byte header, segments, checksum, SHA-256.

import { FormatError } from "./error.js";
import type { Hash, Sha256 } from "./hash.js";

/** Reads `length` bytes at `offset`, at most 1 KB at a time, so that flash and files are the same. */
export type Read = (offset: number, length: number) => Uint8Array;

export interface Segment {
  readonly fileOffset: number; // of the data, behind its 8-byte header
  readonly loadAddress: number;
  readonly length: number; // bytes, a multiple of 4
}

export interface ImageInfo {
  readonly chipId: number;
  readonly entry: number;
  readonly flashMode: number;
  readonly flashSize: number; // high nibble of byte 3
  readonly flashFrequency: number; // low nibble of byte 3
  readonly minRevision: number; // major * 100 + minor
  readonly maxRevision: number;
  readonly segments: readonly Segment[];
  readonly checksumOffset: number;
  readonly checksum: number; // as stored
  readonly hashAppended: boolean;
  readonly digestOffset: number | undefined;
  readonly size: number; // of the whole image, digest included
}

/** What buildImage needs; the codes of flashMode and the rest are the header's own. */
export interface ImageParts {
  readonly chipId: number;
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

const MAGIC = 0xe9;
const MAGIC_ESP8266_V2 = 0xea;
const HEADER_SIZE = 24;
const SEGMENT_HEADER_SIZE = 8;
const MAX_SEGMENTS = 16; // ESP_IMAGE_MAX_SEGMENTS
const MAX_SEGMENT_LENGTH = 0x1000000; // exclusive
const CHECKSUM_SEED = 0xef;
const DIGEST_SIZE = 32;
const READ_SIZE = 1024;
const SECTOR_SIZE = 4096;
const HELP = "Build the image again, or copy it again.";

/**
 * Header and segment table of the image at offset 0 of `read`, which holds `limit` bytes (a file, a slot). Checks structure, not
 * checksum or digest, and takes no notice of what lies behind the image: in a slot that is whatever was there before.
 * Throws `image-truncated`, `image-corrupt`, `image-encrypted`, `chip-unsupported` (ESP8266 form).
 */
export function parseImage(read: Read, limit: number): ImageInfo {
  const first = limit > 0 ? read(0, 1)[0]! : MAGIC;
  if (first !== MAGIC) throw notAnImage(first, read, limit);
  need(HEADER_SIZE, limit, "the header");
  const header = view(read(0, HEADER_SIZE));
  const count = header.getUint8(1);
  if (count === 0 || count > MAX_SEGMENTS)
    throw corrupt(`segment count ${count} is not 1 to ${MAX_SEGMENTS}`);
  const hashAppended = header.getUint8(23);
  if (hashAppended > 1) throw corrupt(`byte 23 is ${hex(hashAppended)}, not 0 or 1`);

  const segments: Segment[] = [];
  let end = HEADER_SIZE;
  for (let i = 0; i < count; i++) {
    need(end + SEGMENT_HEADER_SIZE, limit, `the header of segment ${i}`);
    const segment = view(read(end, SEGMENT_HEADER_SIZE));
    const length = segment.getUint32(4, true);
    if (length % 4 !== 0 || length >= MAX_SEGMENT_LENGTH)
      throw corrupt(`invalid segment length ${hex(length)}`);
    end += SEGMENT_HEADER_SIZE;
    need(end + length, limit, `segment ${i}`);
    segments.push({ fileOffset: end, loadAddress: segment.getUint32(0, true), length });
    end += length;
  }
  const checksumOffset = end - (end % 16) + 15;
  const digestOffset = hashAppended ? checksumOffset + 1 : undefined;
  const size = checksumOffset + 1 + (hashAppended ? DIGEST_SIZE : 0);
  need(size, limit, "checksum and digest");
  return {
    chipId: header.getUint16(12, true),
    entry: header.getUint32(4, true),
    flashMode: header.getUint8(2),
    flashSize: header.getUint8(3) >> 4,
    flashFrequency: header.getUint8(3) & 15,
    minRevision: header.getUint16(15, true),
    maxRevision: header.getUint16(17, true),
    segments,
    checksumOffset,
    checksum: read(checksumOffset, 1)[0]!,
    hashAppended: hashAppended === 1,
    digestOffset,
    size,
  };
}

/** What an image's sums are, and whether the stored ones agree. */
export interface ImageSums {
  readonly checksum: number; // as computed
  /** Absent where the image has no SHA-256. */
  readonly digest: { readonly stored: Uint8Array; readonly valid: boolean } | undefined;
}

/**
 * Verifies checksum and SHA-256 as the ESP-IDF bootloader does, in its words; reads at most 1 KB at a time.
 * Throws what parseImage throws, and `image-corrupt`.
 */
export function verifyImage(read: Read, limit: number, sha256: Sha256): ImageInfo {
  const info = parseImage(read, limit);
  const { checksum, digest } = checkImage(read, info, sha256);
  if (checksum !== info.checksum)
    throw corrupt(`Checksum failed. Calculated ${hex(checksum)} read ${hex(info.checksum)}`);
  if (digest && !digest.valid) throw corrupt("Image hash failed - image is corrupt");
  return info;
}

/** Computes checksum and SHA-256 of a parsed image in one pass. */
export function checkImage(read: Read, info: ImageInfo, sha256: Sha256): ImageSums {
  const hash = info.hashAppended ? sha256() : undefined;
  let at = 0;
  let checksum = CHECKSUM_SEED;
  for (let i = 0; i < info.segments.length; i++) {
    const { fileOffset, length } = info.segments[i]!;
    walk(read, at, fileOffset, hash);
    checksum ^= walk(read, fileOffset, fileOffset + length, hash, true);
    at = fileOffset + length;
  }
  if (!hash) return { checksum, digest: undefined };
  walk(read, at, info.digestOffset!, hash);
  const stored = read(info.digestOffset!, DIGEST_SIZE);
  return { checksum, digest: { stored, valid: equal(hash.digest(), stored) } };
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
 * A valid image of `parts`, SHA-256 appended; data is padded with zeros to whole words.
 * Throws `image-corrupt` for segments that no image can hold.
 */
export function buildImage(parts: ImageParts, sha256: Sha256): Uint8Array {
  if (parts.segments.length === 0 || parts.segments.length > MAX_SEGMENTS)
    throw corrupt(`${parts.segments.length} segments are not 1 to ${MAX_SEGMENTS}`);
  let end = HEADER_SIZE;
  for (const { data } of parts.segments) {
    if (data.length >= MAX_SEGMENT_LENGTH - 3) throw corrupt(`a segment of ${data.length} bytes is too long`);
    end += SEGMENT_HEADER_SIZE + words(data.length);
  }
  const bytes = new Uint8Array(end - (end % 16) + 16 + DIGEST_SIZE);
  const out = view(bytes);
  out.setUint8(0, MAGIC);
  out.setUint8(1, parts.segments.length);
  out.setUint8(2, parts.flashMode);
  out.setUint8(3, (parts.flashSize << 4) | parts.flashFrequency);
  out.setUint32(4, parts.entry, true);
  out.setUint8(8, 0xee); // WP pin: disabled, as esptool writes it
  out.setUint16(12, parts.chipId, true);
  out.setUint16(15, parts.minRevision, true);
  out.setUint16(17, parts.maxRevision, true);
  out.setUint8(23, 1);
  let at = HEADER_SIZE;
  for (const { loadAddress, data } of parts.segments) {
    out.setUint32(at, loadAddress, true);
    out.setUint32(at + 4, words(data.length), true);
    bytes.set(data, at + SEGMENT_HEADER_SIZE);
    at += SEGMENT_HEADER_SIZE + words(data.length);
  }
  mendImage(bytes, sha256);
  return bytes;
}

/**
 * Computes checksum and digest of the image in `bytes` anew, in place; returns what it changed.
 * Throws what parseImage throws.
 */
export function mendImage(bytes: Uint8Array, sha256: Sha256): Change[] {
  const read = reader(bytes);
  const info = parseImage(read, bytes.length);
  const changes: Change[] = [];
  let sum = CHECKSUM_SEED;
  for (const { fileOffset, length } of info.segments)
    sum ^= walk(read, fileOffset, fileOffset + length, undefined, true);
  if (sum !== info.checksum) {
    bytes[info.checksumOffset] = sum;
    changes.push({ offset: info.checksumOffset, length: 1, what: "checksum" });
  }
  if (info.digestOffset === undefined) return changes;
  const hash = sha256();
  hash.update(bytes.subarray(0, info.digestOffset));
  const digest = hash.digest();
  if (!equal(digest, bytes.subarray(info.digestOffset, info.digestOffset + DIGEST_SIZE))) {
    bytes.set(digest, info.digestOffset);
    changes.push({ offset: info.digestOffset, length: DIGEST_SIZE, what: "SHA-256" });
  }
  return changes;
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

/** Secure Boot V2: a block that begins E7 02 at a sector's start (esp_secure_boot.h); V1: 4 bytes of version 0 and 64 of signature. */
function isSigned(bytes: Uint8Array, end: number): boolean {
  for (
    let at = end + ((SECTOR_SIZE - (end % SECTOR_SIZE)) % SECTOR_SIZE);
    at + 4 <= bytes.length;
    at += SECTOR_SIZE
  )
    if (bytes[at] === 0xe7 && bytes[at + 1] === 0x02 && bytes[at + 2] === 0 && bytes[at + 3] === 0)
      return true;
  return bytes.length === end + 68 && view(bytes).getUint32(end, true) === 0;
}

function notAnImage(first: number, read: Read, limit: number): FormatError {
  if (first === MAGIC_ESP8266_V2)
    return new FormatError(
      "chip-unsupported",
      "this is an ESP8266 image of the second form (first byte 0xea)",
      "This version works on images of the ESP32 family.",
    );
  if (limit >= READ_SIZE && isNoise(read(0, READ_SIZE)))
    return new FormatError(
      "image-encrypted",
      `the image looks encrypted or compressed: no pattern in its bytes, and it begins with ${hex(first)}`,
      "Take the plain image; the chip or `espsecure` encrypts it later.",
    );
  return corrupt(`no ESP image: it begins with ${hex(first)}, not ${hex(MAGIC)}`);
}

/** True where nearly every byte value occurs: 1 KB of random bytes has 251 of 256 on average, code has far fewer. */
function isNoise(bytes: Uint8Array): boolean {
  const seen = new Uint8Array(256);
  let distinct = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (seen[bytes[i]!] === 0) distinct++;
    seen[bytes[i]!] = 1;
  }
  return distinct >= 235;
}

function need(end: number, limit: number, what: string): void {
  if (end > limit)
    throw new FormatError(
      "image-truncated",
      `${what} ends at ${hex(end)}, but there are only ${hex(limit)} bytes`,
      HELP,
    );
}

function corrupt(message: string): FormatError {
  return new FormatError("image-corrupt", message, HELP);
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
