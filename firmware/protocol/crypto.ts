// The crypto seam: what the protocols need, passed in by Node (node:crypto), a browser (aes-js, tweetnacl) or the board (native).

import type { Hash } from "../format/hash.js";

export interface Crypto {
  /** `length` bytes fit for keys: hardware randomness on a board, a CSPRNG on the host. */
  random(length: number): Uint8Array;
  /** SHA-256 (FIPS 180-4) of the parts in order; 32 bytes. */
  sha256(...parts: Uint8Array[]): Uint8Array;
  /** Incremental SHA-256, for what does not fit in memory. */
  createSha256(): Hash;
  /** HMAC-SHA256 (RFC 2104) of the parts in order; 32 bytes. */
  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  /** AES-128-CBC (NIST SP 800-38A) without padding: `data` is a multiple of 16 bytes. */
  aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES-256-GCM (NIST SP 800-38D), 12-byte nonce; returns ciphertext followed by the 16-byte tag. */
  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or undefined where the tag does not verify. */
  aesGcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** X25519 (RFC 7748): 32-byte secret and u-coordinate in, 32 bytes out, all zero for a low-order point: the caller checks. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** The public key of an X25519 secret. */
  x25519Public(secret: Uint8Array): Uint8Array;
  /** Strict Ed25519 (RFC 8032, S < L, canonical points). */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
