// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict: one text for one byte string, nothing else.

import { FormatError } from "../format/error.js";
import { decodeUtf8 } from "../format/utf8.js";

const HELP = "Use base64url without padding: A-Z a-z 0-9 - _ only, and no spare bits set at the end.";

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
  let held = 0;
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) {
    held = ((held << 8) | bytes[i]!) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      target[offset++] = character((held >> bits) & 63);
    }
  }
  if (bits > 0) target[offset++] = character((held << (6 - bits)) & 63);
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
  let held = 0;
  let bits = 0;
  for (let i = start; i < end; i++) {
    const value = valueOf(source[i]!);
    if (value < 0) throw invalid(`character code ${source[i]} at ${i - start}`);
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      target[offset++] = (held >> bits) & 255;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw invalid("spare bits are set at the end");
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

/** The character of six bits. Computed, not looked up: a table would be a buffer or a string scan. */
function character(value: number): number {
  if (value < 26) return value + 65;
  if (value < 52) return value + 71;
  if (value < 62) return value - 4;
  return value === 62 ? 45 : 95;
}

/** The six bits of a character, or -1. */
function valueOf(code: number): number {
  if (code >= 97) return code <= 122 ? code - 71 : -1;
  if (code >= 65) return code <= 90 ? code - 65 : code === 95 ? 63 : -1;
  if (code >= 48) return code <= 57 ? code + 4 : -1;
  return code === 45 ? 62 : -1;
}

function invalid(what: string): FormatError {
  return new FormatError("base64url-invalid", `not base64url: ${what}`, HELP);
}
