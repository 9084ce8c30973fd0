// JSON (RFC 8259) that is safe to hand to XS: its depth is checked first, because the engine's stack overflow cannot be caught.

import { FormatError } from "../format/error.js";
import { decodeUtf8 } from "../format/utf8.js";

/** Deepest nesting that any of the project's messages may have. */
export const MAX_DEPTH = 8;

const HELP = "Send a JSON object (RFC 8259) as UTF-8, nested at most 8 deep.";

/** How deep the arrays and objects of `bytes` nest. Brackets in strings do not count. Needs no well-formed JSON. */
export function jsonDepth(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (quoted) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return deepest;
}

/** More than `limit` brackets open at all: found natively, as most messages are shallow. */
function opensMore(bytes: Uint8Array, limit: number): boolean {
  let count = 0;
  for (let at = bytes.indexOf(0x5b); at >= 0 && count <= limit; at = bytes.indexOf(0x5b, at + 1)) count += 1;
  for (let at = bytes.indexOf(0x7b); at >= 0 && count <= limit; at = bytes.indexOf(0x7b, at + 1)) count += 1;
  return count > limit;
}

/**
 * The object that `bytes` spell. Throws `json-too-deep` before parsing, `value-not-utf8`, and `json-invalid` for what is no
 * JSON or no object. A member `__proto__` becomes an ordinary own property (ECMA-262 25.5.1) and does nothing here: who
 * copies members by name checks the names.
 */
export function parseJson(bytes: Uint8Array): Record<string, unknown> {
  const depth = opensMore(bytes, MAX_DEPTH) ? jsonDepth(bytes) : 0;
  if (depth > MAX_DEPTH)
    throw new FormatError("json-too-deep", `JSON nested ${depth} deep, at most ${MAX_DEPTH}`, HELP);
  const text = decodeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError("json-invalid", `not JSON, ${bytes.length} bytes`, HELP);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError("json-invalid", "the JSON is not an object", HELP);
  return value as Record<string, unknown>;
}
