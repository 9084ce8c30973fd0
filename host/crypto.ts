// The protocols' crypto seam over node:crypto (firmware/protocol/crypto.ts): the server's, and the tests' reference.

import * as node from "node:crypto";
import type { Crypto } from "../firmware/protocol/crypto.js";
import type { Hash } from "../firmware/format/hash.js";

/** DER heads that turn 32 raw bytes into a key object (RFC 8410 section 7: PKCS #8 and SubjectPublicKeyInfo). */
const X25519_SECRET = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_PUBLIC = Buffer.from("302a300506032b656e032100", "hex");
const ED25519_PUBLIC = Buffer.from("302a300506032b6570032100", "hex");

/** u = 9, the base point of Curve25519 (RFC 7748 section 4.1). */
const X25519_BASE = Uint8Array.of(9, ...new Uint8Array(31));

/** p = 2^255 - 19 and the order L of the base point, as little-endian bytes (RFC 8032 section 5.1). */
const FIELD_PRIME = littleEndian((1n << 255n) - 19n);
const GROUP_ORDER = littleEndian((1n << 252n) + 27742317777372353535851937790883648493n);

/** y of the points of order 4 and 8 (orders 1 and 2 have y = 1 and y = -1): a key among them signs anything. */
const SMALL_ORDER_Y = [
  littleEndian(0n),
  littleEndian(1n),
  littleEndian((1n << 255n) - 20n),
  Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex"),
  Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"),
];

function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
  return bytes;
}

/** True where the little-endian number `a` is below `b`. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 31; i >= 0; i -= 1) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}

/** A plain copy: a Buffer's own `slice` and `toString` would surprise portable code, and its pool holds other secrets. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return plain(Buffer.concat(parts));
}

function hashOf(hash: node.Hash): Hash {
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => plain(hash.digest()),
  };
}

function aesCbc(cipher: node.Cipher | node.Decipher, data: Uint8Array): Uint8Array {
  cipher.setAutoPadding(false);
  return concat(cipher.update(data), cipher.final());
}

function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const privateKey = node.createPrivateKey({
    key: Buffer.concat([X25519_SECRET, secret]),
    format: "der",
    type: "pkcs8",
  });
  const peer = node.createPublicKey({
    key: Buffer.concat([X25519_PUBLIC, publicKey]),
    format: "der",
    type: "spki",
  });
  try {
    return plain(node.diffieHellman({ privateKey, publicKey: peer }));
  } catch {
    return new Uint8Array(32); // OpenSSL refuses a result of all zeros; the seam leaves that to its caller
  }
}

/** y of an encoded point: the sign of x in the top bit taken off. */
function yOf(point: Uint8Array): Uint8Array {
  const y = Uint8Array.from(point);
  y[31]! &= 0x7f;
  return y;
}

function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isBelow(signature.subarray(32), GROUP_ORDER)) return false;
  const keyY = yOf(publicKey);
  if (!isBelow(keyY, FIELD_PRIME) || !isBelow(yOf(signature.subarray(0, 32)), FIELD_PRIME)) return false;
  if (SMALL_ORDER_Y.some((y) => Buffer.compare(keyY, y) === 0)) return false;
  const key = node.createPublicKey({
    key: Buffer.concat([ED25519_PUBLIC, publicKey]),
    format: "der",
    type: "spki",
  });
  return node.verify(null, message, key, signature);
}

/** `Crypto` over node:crypto. Argument lengths are those of the seam; node:crypto throws on others. */
export const crypto: Crypto = {
  random: (length) => plain(node.randomBytes(length)),
  sha256: (...parts) => {
    const hash = node.createHash("sha256");
    for (const part of parts) hash.update(part);
    return plain(hash.digest());
  },
  createSha256: () => hashOf(node.createHash("sha256")),
  hmacSha256: (key, ...parts) => {
    const hmac = node.createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return plain(hmac.digest());
  },
  aesCbcEncrypt: (key, iv, data) => aesCbc(node.createCipheriv("aes-128-cbc", key, iv), data),
  aesCbcDecrypt: (key, iv, data) => aesCbc(node.createDecipheriv("aes-128-cbc", key, iv), data),
  aesGcmSeal: (key, nonce, aad, plaintext) => {
    const cipher = node.createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(aad);
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  aesGcmOpen: (key, nonce, aad, sealed) => {
    if (sealed.length < 16) return undefined;
    const decipher = node.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    const plaintext = decipher.update(sealed.subarray(0, sealed.length - 16));
    try {
      return concat(plaintext, decipher.final());
    } catch {
      return undefined;
    }
  },
  x25519,
  x25519Public: (secret) => x25519(secret, X25519_BASE),
  ed25519Verify,
};
