// UTF-8 (RFC 3629), strict both ways: XS has no TextEncoder, and its own conversions let malformed bytes through.

import { FormatError } from "./error.js";

const HELP = "Write the text as UTF-8.";

/** XS's native conversions (xs/sources/xsString.c, xsDataView.c), which make no garbage; absent in Node and browsers. */
interface NativeString {
  fromArrayBuffer?(buffer: ArrayBuffer, offset: number, length: number): string;
}
interface NativeBuffer {
  fromString?(text: string): ArrayBuffer;
}

/**
 * `text` as UTF-8. Throws `value-not-utf8` where it holds half a surrogate pair.
 *
 * XS's strings are UTF-8 themselves: there `charCodeAt` gives a whole code point where the standard gives half a pair
 * (xs/sources/xsAll.h, mxCESU8), so both are taken.
 */
export function encodeUtf8(text: string): Uint8Array {
  const native = (ArrayBuffer as NativeBuffer).fromString?.(text);
  // As many bytes as characters: it is ASCII. Anything else goes the long way, because XS lets half a pair through.
  if (native && native.byteLength === text.length) return new Uint8Array(native);
  const bytes = new Uint8Array(measure(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
    } else {
      if (code >= 0xd800 && code <= 0xdbff)
        code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      if (code > 0xffff) {
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (code >> 12);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (code & 0x3f);
  }
  return bytes;
}

/** Bytes that `text` takes as UTF-8. Throws `value-not-utf8`. */
export function measure(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code > 0xffff) length += 4;
    else if (code < 0xd800 || code > 0xdfff) length += 3;
    else {
      const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (code > 0xdbff || (low & 0xfc00) !== 0xdc00)
        throw new FormatError("value-not-utf8", `character ${i} is half a surrogate pair`, HELP);
      length += 4;
      i += 1;
    }
  }
  return length;
}

/** The text of `bytes`. Throws `value-not-utf8` for anything that RFC 3629 does not allow: overlong forms, surrogates, cut sequences. */
export function decodeUtf8(bytes: Uint8Array): string {
  for (let at = 0; at < bytes.length;) at += bytes[at]! < 0x80 ? 1 : sequenceLength(bytes, at);
  const native = String as unknown as NativeString;
  if (native.fromArrayBuffer)
    return native.fromArrayBuffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += String.fromCodePoint(codePoint(bytes, at, length));
    at += length;
  }
  return text;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at]!;
  if (length === 1) return first;
  let code = first & (0x7f >> length);
  for (let i = 1; i < length; i++) code = (code << 6) | (bytes[at + i]! & 0x3f);
  return code;
}

/** Length of the well-formed sequence at `at` (RFC 3629, section 4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // The second byte's range is what excludes overlong forms, surrogates and code points above 10FFFF.
  let low = 0x80;
  let high = 0xbf;
  if (first === 0xe0) low = 0xa0;
  else if (first === 0xed) high = 0x9f;
  else if (first === 0xf0) low = 0x90;
  else if (first === 0xf4) high = 0x8f;
  let good = first >= 0xc2 && first <= 0xf4 && at + length <= bytes.length;
  for (let i = 1; good && i < length; i++) {
    const next = bytes[at + i]!;
    good = next >= low && next <= high;
    low = 0x80;
    high = 0xbf;
  }
  if (!good) throw new FormatError("value-not-utf8", `not UTF-8 at byte ${at}`, HELP);
  return length;
}
