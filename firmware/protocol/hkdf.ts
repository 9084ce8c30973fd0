// HKDF with SHA-256 (RFC 5869): extract, expand, and both.

import type { Crypto } from "./crypto.js";

/** RFC 5869 section 2.2. An absent salt is 32 zero bytes, for HMAC the same as an empty one. */
export function hkdfExtract(crypto: Crypto, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return crypto.hmacSha256(salt.length === 0 ? new Uint8Array(32) : salt, secret);
}

/** RFC 5869 section 2.3: `length` bytes, at most 8,160. */
export function hkdfExpand(crypto: Crypto, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * 32) throw new RangeError(`HKDF gives at most 8160 bytes, asked for ${length}`);
  const output = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let at = 0, count = 1; at < length; at += 32, count++) {
    block = Uint8Array.from(crypto.hmacSha256(key, block, info, Uint8Array.of(count)));
    output.set(at + 32 <= length ? block : block.subarray(0, length - at), at);
  }
  return output;
}

/** RFC 5869 section 2: extract, then expand. */
export function hkdf(
  crypto: Crypto,
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(crypto, hkdfExtract(crypto, salt, secret), info, length);
}
