// Header and segments of the three forms of an app image (esp_image_format.h; esptool's bin_image.py): structure, no sums.

import { FormatError } from "./error.js";
import type { ImageForm, ImageInfo, Read, Segment } from "./image.js";
import { corruptImage as corrupt, IMAGE_HELP } from "./image-refusals.js";

export const MAGIC = 0xe9;
export const MAGIC_V2 = 0xea;
export const HEADER_SIZE = 24;
export const SHORT_HEADER_SIZE = 8; // of the ESP8266
export const SEGMENT_HEADER_SIZE = 8;
export const MAX_SEGMENTS = 16; // ESP_IMAGE_MAX_SEGMENTS
export const MAX_SEGMENT_LENGTH = 0x1000000; // exclusive
export const DIGEST_SIZE = 32;
export const CRC_SIZE = 4;
const V2_SEGMENTS = 4; // what an EA header has in the place of a count
const NO_REVISION = { minRevision: 0, maxRevision: 0xffff };

export function parseEsp32(read: Read, limit: number): ImageInfo {
  const header = view(read(0, HEADER_SIZE));
  const hashAppended = header.getUint8(23);
  if (hashAppended > 1) throw corrupt(`byte 23 is ${hex(hashAppended)}, not 0 or 1`);
  const { segments, end } = parseSegments(read, limit, HEADER_SIZE, header.getUint8(1));
  const checksumOffset = checksumAfter(end);
  const digestOffset = hashAppended ? checksumOffset + 1 : undefined;
  const size = checksumOffset + 1 + (hashAppended ? DIGEST_SIZE : 0);
  need(size, limit, "checksum and digest");
  return {
    form: "esp32",
    ...commonFields(header),
    chipId: header.getUint16(12, true),
    minRevision: header.getUint16(15, true),
    maxRevision: header.getUint16(17, true),
    segments,
    checksumOffset,
    checksum: read(checksumOffset, 1)[0]!,
    hashAppended: hashAppended === 1,
    digestOffset,
    crcOffset: undefined,
    size,
  };
}

/**
 * In the short header, bytes 8 to 11 are the load address of the first segment, whose top byte is 3F or 40; in the long one byte 11
 * holds two drive strengths of 0 to 3, so at most 33.
 */
export function isEsp8266(read: Read, limit: number): boolean {
  need(HEADER_SIZE, limit, "the header");
  const top = read(11, 1)[0];
  return top === 0x3f || top === 0x40;
}

export function parseEsp8266(read: Read, limit: number): ImageInfo {
  const header = view(read(0, SHORT_HEADER_SIZE));
  const { segments, end } = parseSegments(read, limit, SHORT_HEADER_SIZE, header.getUint8(1));
  const checksumOffset = checksumAfter(end);
  need(checksumOffset + 1, limit, "the checksum");
  return esp8266Info("esp8266", read, header, segments, checksumOffset, undefined);
}

export function parseEsp8266V2(read: Read, limit: number): ImageInfo {
  need(SHORT_HEADER_SIZE, limit, "the header");
  const outer = view(read(0, SHORT_HEADER_SIZE));
  if (outer.getUint8(1) !== V2_SEGMENTS)
    throw corrupt(`byte 1 of an 0xea header is ${outer.getUint8(1)}, not ${V2_SEGMENTS}`);
  const mapped = parseSegments(read, limit, SHORT_HEADER_SIZE, 1, false);
  need(mapped.end + SHORT_HEADER_SIZE, limit, "the second header");
  const header = view(read(mapped.end, SHORT_HEADER_SIZE));
  if (header.getUint8(0) !== MAGIC)
    throw corrupt(`the second header begins with ${hex(header.getUint8(0))}, not ${hex(MAGIC)}`);
  const loaded = parseSegments(read, limit, mapped.end + SHORT_HEADER_SIZE, header.getUint8(1));
  const checksumOffset = checksumAfter(loaded.end);
  need(checksumOffset + 1 + CRC_SIZE, limit, "checksum and CRC");
  const segments = [...mapped.segments, ...loaded.segments];
  return esp8266Info("esp8266-v2", read, header, segments, checksumOffset, checksumOffset + 1);
}

function esp8266Info(
  form: ImageForm,
  read: Read,
  header: DataView,
  segments: readonly Segment[],
  checksumOffset: number,
  crcOffset: number | undefined,
): ImageInfo {
  return {
    form,
    ...commonFields(header),
    chipId: undefined,
    ...NO_REVISION,
    segments,
    checksumOffset,
    checksum: read(checksumOffset, 1)[0]!,
    hashAppended: false,
    digestOffset: undefined,
    crcOffset,
    size: crcOffset === undefined ? checksumOffset + 1 : crcOffset + CRC_SIZE,
  };
}

function commonFields(
  header: DataView,
): Pick<ImageInfo, "entry" | "flashMode" | "flashSize" | "flashFrequency"> {
  return {
    entry: header.getUint32(4, true),
    flashMode: header.getUint8(2),
    flashSize: header.getUint8(3) >> 4,
    flashFrequency: header.getUint8(3) & 15,
  };
}

function parseSegments(
  read: Read,
  limit: number,
  from: number,
  count: number,
  summed = true,
): { segments: Segment[]; end: number } {
  if (count === 0 || count > MAX_SEGMENTS)
    throw corrupt(`segment count ${count} is not 1 to ${MAX_SEGMENTS}`);
  const segments: Segment[] = [];
  let end = from;
  for (let i = 0; i < count; i++) {
    need(end + SEGMENT_HEADER_SIZE, limit, `the header of segment ${i}`);
    const segment = view(read(end, SEGMENT_HEADER_SIZE));
    const length = segment.getUint32(4, true);
    if (length % 4 !== 0 || length >= MAX_SEGMENT_LENGTH)
      throw corrupt(`invalid segment length ${hex(length)}`);
    end += SEGMENT_HEADER_SIZE;
    need(end + length, limit, `segment ${i}`);
    segments.push({ fileOffset: end, loadAddress: segment.getUint32(0, true), length, summed });
    end += length;
  }
  return { segments, end };
}

/** The last byte of the sixteen in which the segments end. */
export function checksumAfter(end: number): number {
  return end - (end % 16) + 15;
}

function need(end: number, limit: number, what: string): void {
  if (end > limit)
    throw new FormatError(
      "image-truncated",
      `${what} ends at ${hex(end)}, but there are only ${hex(limit)} bytes`,
      IMAGE_HELP,
    );
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(value: number): string {
  return "0x" + value.toString(16);
}
