// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict: one text for one byte string, nothing else.

import { FormatError } from "../format/error.js";
import { decodeUtf8 } from "../format/utf8.js";

const NONE = 255;
/** Character codes by value, and values by byte. Never written again: on the device they lie in read-only memory. */
const ALPHABET = alphabet();
const VALUES = values();
const HELP = "Use base64url without padding: A-Z a-z 0-9 - _ only, and no spare bits set at the end.";

function alphabet(): Uint8Array {
  const codes = new Uint8Array(64);
  for (let i = 0; i < 26; i++) {
    codes[i] = 65 + i;
    codes[26 + i] = 97 + i;
    if (i < 10) codes[52 + i] = 48 + i;
  }
  codes[62] = 45; // -
  codes[63] = 95; // _
  return codes;
}

function values(): Uint8Array {
  const table = new Uint8Array(256).fill(NONE);
  for (let i = 0; i < 64; i++) table[ALPHABET[i]!] = i;
  return table;
}

/** Characters that `length` bytes take. */
export function encodedLength(length: number): number {
  return Math.ceil((length * 4) / 3);
}

/** Bytes that `length` characters hold, or -1 where no byte string has that many characters. */
export function decodedLength(length: number): number {
  return length % 4 === 1 ? -1 : Math.floor((length * 3) / 4);
}

/** Writes the text of `bytes` into `target` as ASCII, from `offset`; returns where it ends. */
export function encodeInto(target: Uint8Array, offset: number, bytes: Uint8Array): number {
  const whole = bytes.length - (bytes.length % 3);
  let i = 0;
  while (i < whole) {
    const group = (bytes[i++]! << 16) | (bytes[i++]! << 8) | bytes[i++]!;
    target[offset++] = ALPHABET[group >> 18]!;
    target[offset++] = ALPHABET[(group >> 12) & 63]!;
    target[offset++] = ALPHABET[(group >> 6) & 63]!;
    target[offset++] = ALPHABET[group & 63]!;
  }
  const left = bytes.length - whole;
  if (left === 0) return offset;
  const group = (bytes[i]! << 8) | (left === 2 ? bytes[i + 1]! : 0);
  target[offset++] = ALPHABET[group >> 10]!;
  target[offset++] = ALPHABET[(group >> 4) & 63]!;
  if (left === 2) target[offset++] = ALPHABET[(group << 2) & 63]!;
  return offset;
}

/**
 * Decodes `source[start..end)`, ASCII, into `target` from `offset`; returns where it ends. `target` may be `source`
 * with `offset <= start`: what is written never overtakes what is read. Throws `base64url-invalid`.
 */
export function decodeInto(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  if (decodedLength(end - start) < 0) throw invalid(`${end - start} characters cannot be whole bytes`);
  const whole = end - ((end - start) % 4);
  let i = start;
  while (i < whole) {
    const a = VALUES[source[i++]!]!;
    const b = VALUES[source[i++]!]!;
    const c = VALUES[source[i++]!]!;
    const d = VALUES[source[i++]!]!;
    if ((a | b | c | d) > 63) throw invalid(`a character of none of its 64 before ${i - start}`);
    target[offset++] = (a << 2) | (b >> 4);
    target[offset++] = (b << 4) | (c >> 2);
    target[offset++] = (c << 6) | d;
  }
  if (i === end) return offset;
  const a = VALUES[source[i]!]!;
  const b = VALUES[source[i + 1]!]!;
  const c = end - i === 3 ? VALUES[source[i + 2]!]! : 0;
  if ((a | b | c) > 63) throw invalid("a character of none of its 64 at the end");
  if (((end - i === 3 ? c << 6 : b << 4) & 255) !== 0) throw invalid("spare bits are set at the end");
  target[offset++] = (a << 2) | (b >> 4);
  if (end - i === 3) target[offset++] = (b << 4) | (c >> 2);
  return offset;
}

/** The text of `bytes`. */
export function encodeBase64url(bytes: Uint8Array): string {
  const text = new Uint8Array(encodedLength(bytes.length));
  encodeInto(text, 0, bytes);
  return decodeUtf8(text);
}

/** The bytes of `text`; exactly `length` of them where it is given. Throws `base64url-invalid`. */
export function decodeBase64url(text: string, length?: number): Uint8Array {
  const size = decodedLength(text.length);
  if (size < 0 || (length !== undefined && size !== length))
    throw invalid(
      `${text.length} characters, expected ${length === undefined ? "whole bytes" : encodedLength(length)}`,
    );
  const source = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    source[i] = code < 128 ? code : 0;
  }
  decodeInto(source, 0, source, 0, source.length);
  return source.slice(0, size);
}

function invalid(what: string): FormatError {
  return new FormatError("base64url-invalid", `not base64url: ${what}`, HELP);
}
