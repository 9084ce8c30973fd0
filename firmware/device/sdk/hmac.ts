// HMAC (RFC 2104) over SHA-256: the SDK's `crypt` has the digest alone.

import type { Hash, Sha256 } from "../../format/hash.js";

const BLOCK_SIZE = 64; // bytes, of SHA-256

/** HMAC-SHA256 of the parts in order; 32 bytes. */
export function hmacSha256(sha256: Sha256, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE);
  block.set(key.length > BLOCK_SIZE ? digestOf(sha256(), [key]) : key);
  const inner = digestOf(sha256(), [masked(block, 0x36), ...parts]);
  return digestOf(sha256(), [masked(block, 0x5c), inner]);
}

function digestOf(hash: Hash, parts: readonly Uint8Array[]): Uint8Array {
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function masked(block: Uint8Array, mask: number): Uint8Array {
  return block.map((byte) => byte ^ mask);
}
