// The defaults block (DESIGN.md, decision 5): 1 KB in an image that a patcher fills with the owner's credentials after the build.
//
// Little-endian: marker[16], version u16, capacity u16, length u16, 0 u16, CRC-32 u32 (of bytes 16 to 23 and the JSON), UTF-8 JSON
// of `length` bytes, FF to the end. Blank = length 0.

import { crc32 } from "./crc32.js";
import { FormatError } from "./error.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export type DefaultValue = string | number | boolean;
/** Flat: the keys are CONTRACT's defaults keys, "wifi.ssid" and so on. */
export type Defaults = Record<string, DefaultValue>;

export const BLOCK_VERSION = 1;
export const BLOCK_SIZE = 1024;
const MARKER_SIZE = 16;
/** Bytes before the JSON. */
export const BLOCK_HEADER_SIZE = 28;
/** Bytes of JSON that a block holds. */
export const BLOCK_CAPACITY = BLOCK_SIZE - BLOCK_HEADER_SIZE;

/**
 * The marker, every byte inverted, so that no compiled file holds the marker itself: in an image it occurs once, in the resource.
 * No UTF-8 text can hold it either (byte 0 is FF).
 */
const INVERTED_MARKER = [
  0x00, 0xbd, 0x8d, 0x90, 0x90, 0x92, 0x9a, 0xf2, 0x9b, 0x9a, 0x99, 0x9e, 0x8a, 0x93, 0x8b, 0x8c,
];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const BRACKET = 0x5b;

const HELP = "Build the firmware with this version of broome; it puts the block in.";

/** The 16 bytes that a block begins with: FF "Broome" 0D "defaults". */
export function marker(): Uint8Array {
  return Uint8Array.from(INVERTED_MARKER, (byte) => byte ^ 0xff);
}

/** Offsets of every marker in `image` (Boyer, Moore and Horspool's search: most of the image is never looked at). */
export function findMarkers(image: Uint8Array): number[] {
  const wanted = marker();
  const last = MARKER_SIZE - 1;
  const steps = new Uint8Array(256).fill(MARKER_SIZE);
  for (let i = 0; i < last; i++) steps[wanted[i]!] = last - i;
  const found: number[] = [];
  for (let at = 0; at + last < image.length; at += steps[image[at + last]!]!) {
    let same = last;
    while (same >= 0 && image[at + same] === wanted[same]) same--;
    if (same < 0) found.push(at);
  }
  return found;
}

/**
 * Where the one block of `image` lies; `capacity` is for JSON, the block is 28 bytes larger.
 * Throws `defaults-missing`, `defaults-ambiguous`, `defaults-corrupt`.
 */
export function findDefaults(image: Uint8Array): { offset: number; capacity: number } {
  const found = findMarkers(image);
  if (found.length === 0)
    throw new FormatError("defaults-missing", "the image holds no defaults block", HELP);
  if (found.length > 1)
    throw new FormatError(
      "defaults-ambiguous",
      `the image holds ${found.length} defaults blocks, at ${found.map((at) => "0x" + at.toString(16)).join(", ")}`,
      "Take an app image alone, not a merged one, and one that has its resource only once.",
    );
  const offset = found[0]!;
  if (offset + BLOCK_HEADER_SIZE > image.length) throw corrupt("it is cut off");
  return { offset, capacity: header(image.subarray(offset)).capacity };
}

/**
 * The values in a block (the resource, or the image from the block's offset on); undefined where it is blank.
 * Throws `defaults-corrupt`.
 */
export function readDefaults(block: Uint8Array): Defaults | undefined {
  const { length, sum } = header(block);
  const json = block.subarray(BLOCK_HEADER_SIZE, BLOCK_HEADER_SIZE + length);
  if (checksum(block, json) !== sum) throw corrupt("its CRC-32 does not match");
  if (length === 0) return undefined;
  return parse(json);
}

/** The CRC-32 that a block states: the firmware imports a block when this differs from the one imported last. Throws `defaults-corrupt`. */
export function defaultsCrc(block: Uint8Array): number {
  return header(block).sum;
}

/** A block of 1 KB that holds `values`; blank where there are none. Throws `value-too-long`, `value-not-utf8`. */
export function encodeDefaults(values: Defaults, capacity = BLOCK_CAPACITY): Uint8Array {
  const json = Object.keys(values).length === 0 ? new Uint8Array(0) : encodeUtf8(JSON.stringify(values));
  if (json.length > capacity)
    throw new FormatError(
      "value-too-long",
      `the defaults take ${json.length} bytes together, ${capacity} fit`,
      "Leave something out, or shorten x.* values.",
    );
  const block = new Uint8Array(BLOCK_HEADER_SIZE + capacity).fill(0xff);
  const view = new DataView(block.buffer);
  block.set(marker());
  view.setUint16(16, BLOCK_VERSION, true);
  view.setUint16(18, capacity, true);
  view.setUint16(20, json.length, true);
  view.setUint16(22, 0, true);
  view.setUint32(24, checksum(block, json), true);
  block.set(json, BLOCK_HEADER_SIZE);
  return block;
}

/** The blank block: what a build contains. */
export function blankDefaults(capacity = BLOCK_CAPACITY): Uint8Array {
  return encodeDefaults({}, capacity);
}

function header(block: Uint8Array): { capacity: number; length: number; sum: number } {
  if (block.length < BLOCK_HEADER_SIZE) throw corrupt("it is cut off");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const version = view.getUint16(16, true);
  const capacity = view.getUint16(18, true);
  const length = view.getUint16(20, true);
  if (version !== BLOCK_VERSION) throw corrupt(`its version is ${version}, not ${BLOCK_VERSION}`);
  if (block.length < BLOCK_HEADER_SIZE + capacity) throw corrupt("it is cut off");
  if (length > capacity) throw corrupt(`its length ${length} is over its capacity ${capacity}`);
  return { capacity, length, sum: view.getUint32(24, true) };
}

function checksum(block: Uint8Array, json: Uint8Array): number {
  return crc32(json, crc32(block.subarray(MARKER_SIZE, BLOCK_HEADER_SIZE - 4)));
}

function parse(json: Uint8Array): Defaults {
  // Depth first: the device's engine cannot survive a deep JSON.parse (its stack overflow cannot be caught).
  if (!isFlat(json)) throw corrupt("its JSON is not one flat object");
  let values: unknown;
  try {
    values = JSON.parse(decodeUtf8(json));
  } catch {
    throw corrupt("it holds no JSON");
  }
  for (const value of Object.values(values as object))
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      throw corrupt("a value is neither text nor number nor boolean");
  return values as Defaults;
}

/** True where the JSON begins an object and opens nothing else outside its strings. */
function isFlat(json: Uint8Array): boolean {
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (inString) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) inString = false;
    } else if (c === QUOTE) inString = true;
    else if (i > 0 && (c === BRACE || c === BRACKET)) return false;
  }
  return json[0] === BRACE;
}

function corrupt(why: string): FormatError {
  return new FormatError("defaults-corrupt", `the defaults block is damaged: ${why}`, HELP);
}
