// Notes and reasons as the wire bounds them (SPEC.md, "Request", fields `l` and `o`).

import { decodeUtf8, encodeUtf8, measure } from "../format/utf8.js";

export const MAX_NOTE = 64; // bytes

/** `text`, cut behind the last whole character that fits. Throws `value-not-utf8` for half a surrogate pair. */
export function noteOf(text: string): string {
  if (measure(text) <= MAX_NOTE) return text;
  const bytes = encodeUtf8(text);
  let end = MAX_NOTE;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1; // not between the bytes of one character
  return decodeUtf8(bytes.subarray(0, end));
}
