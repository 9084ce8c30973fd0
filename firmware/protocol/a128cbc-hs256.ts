// A128CBC-HS256 (RFC 7518 section 5.2): AES-128-CBC, then HMAC-SHA256 over everything, the tag checked first.

import type { Crypto } from "./crypto.js";
import { equalBytes } from "./equal.js";

/** Bytes of an AES block, of the IV and of the tag. */
export const BLOCK = 16;

/** `key` is 32 bytes, for MAC and AES 16 each; `iv` 16 bytes, never twice under one key. */
export function encrypt(
  crypto: Crypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): { ciphertext: Uint8Array; tag: Uint8Array } {
  const ciphertext = crypto.aesCbcEncrypt(key.subarray(BLOCK), iv, pad(plaintext));
  return { ciphertext, tag: tagOf(crypto, key, iv, aad, ciphertext) };
}

/** The plaintext, or undefined where the tag does not verify. */
export function decrypt(
  crypto: Crypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Uint8Array | undefined {
  if (!equalBytes(tagOf(crypto, key, iv, aad, ciphertext), tag)) return undefined;
  if (ciphertext.length === 0 || ciphertext.length % BLOCK !== 0) return undefined;
  return unpad(crypto.aesCbcDecrypt(key.subarray(BLOCK), iv, ciphertext));
}

/** Bytes that `length` bytes of plaintext become. */
export function paddedLength(length: number): number {
  return length - (length % BLOCK) + BLOCK;
}

/** Section 5.2.2.1: over AAD, IV, ciphertext and the AAD's length in bits as u64, cut to 16 bytes. */
function tagOf(
  crypto: Crypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const bits = new Uint8Array(8);
  new DataView(bits.buffer).setUint32(4, aad.length * 8);
  return crypto.hmacSha256(key.subarray(0, BLOCK), aad, iv, ciphertext, bits).slice(0, BLOCK);
}

/** PKCS #7 (RFC 5652 section 6.3). */
function pad(plaintext: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedLength(plaintext.length));
  padded.fill(padded.length - plaintext.length, plaintext.length);
  padded.set(plaintext);
  return padded;
}

/** Undefined for wrong padding. Only ever called under a good tag, so that this tells nothing to who cannot seal. */
function unpad(padded: Uint8Array): Uint8Array | undefined {
  const count = padded[padded.length - 1]!;
  if (count < 1 || count > BLOCK) return undefined;
  for (let i = 1; i <= count; i++) if (padded[padded.length - i] !== count) return undefined;
  return padded.subarray(0, padded.length - count);
}
