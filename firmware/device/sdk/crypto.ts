// `device/crypto` on the SDK's `crypt` module (digests, AES, GHASH) and our own curve25519 in C.
// What `crypt` has wrong or lacks is left alone: its padding (5 bytes give 0), its `rng` (not for keys), HMAC in JavaScript.

import * as module from "crypt";
import type { Hash } from "../../format/hash.js";
import type { Crypto } from "../types.js";
import { bufferOf } from "./bytes.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

interface SdkDigest {
  write(data: ArrayBuffer | Uint8Array): void;
  close(): ArrayBuffer;
}
interface SdkCipher {
  encrypt(block: ArrayBuffer): ArrayBuffer;
}
interface SdkMode {
  encrypt(data: ArrayBuffer): ArrayBuffer;
  decrypt(data: ArrayBuffer): ArrayBuffer;
}
interface SdkCrypt {
  Digest: new (name: string) => SdkDigest;
  /** Multiplies in GF(2^128) with `h`, begins with `aad` where there is any, and ends with both lengths. */
  GHASH: new (h: ArrayBuffer, aad: ArrayBuffer | undefined) => SdkDigest;
  BlockCipher: new (name: string, key: ArrayBuffer) => SdkCipher;
  Mode: new (name: string, cipher: SdkCipher, iv: ArrayBuffer) => SdkMode;
}
const crypt = (module as unknown as { default: SdkCrypt }).default;

const BLOCK = 64; // bytes: SHA-256
const AES_BLOCK = 16; // bytes
const TAG = 16; // bytes
const KEY = 32; // bytes: a scalar, a point, half a signature

class Sha256 implements Hash {
  private digester: SdkDigest | undefined = new crypt.Digest("SHA256");

  update(bytes: Uint8Array): void {
    this.open().write(bytes);
  }

  digest(): Uint8Array {
    const digester = this.open();
    this.digester = undefined;
    return new Uint8Array(digester.close());
  }

  private open(): SdkDigest {
    if (this.digester) return this.digester;
    throw new Error("the hash is finished");
  }
}

function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const digester = new crypt.Digest("SHA256");
  for (const part of parts) digester.write(part);
  return new Uint8Array(digester.close());
}

function padded(key: Uint8Array, mask: number): Uint8Array {
  const pad = new Uint8Array(BLOCK).fill(mask);
  for (let i = 0; i < key.length; i++) pad[i]! ^= key[i]!;
  return pad;
}

/** RFC 2104. */
function hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const short = key.length > BLOCK ? sha256([key]) : key;
  const inner = new crypt.Digest("SHA256");
  inner.write(padded(short, 0x36));
  for (const part of parts) inner.write(part);
  return sha256([padded(short, 0x5c), new Uint8Array(inner.close())]);
}

function aes(key: Uint8Array, length: number): SdkCipher {
  sized("key", key, length);
  return new crypt.BlockCipher("AES", bufferOf(key));
}

function cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): SdkMode {
  sized("iv", iv, AES_BLOCK);
  if (data.length % AES_BLOCK !== 0)
    throw new Error(`data: expected a multiple of ${AES_BLOCK} bytes, got ${data.length}`);
  return new crypt.Mode("CBC", aes(key, 16), bufferOf(iv));
}

/** NIST SP 800-38D with a 12-byte nonce. `counter` 1 makes the tag's mask, 2 is the first block of data. */
function counterBlock(nonce: Uint8Array, counter: number): ArrayBuffer {
  const block = new Uint8Array(AES_BLOCK);
  block.set(nonce);
  block[AES_BLOCK - 1] = counter;
  return block.buffer;
}

/** Every part is padded to whole blocks by GHASH itself: the ciphertext goes in at once. */
function gcmTag(cipher: SdkCipher, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const h = cipher.encrypt(new ArrayBuffer(AES_BLOCK));
  const hash = new crypt.GHASH(h, aad.length > 0 ? bufferOf(aad) : undefined);
  if (ciphertext.length > 0) hash.write(bufferOf(ciphertext));
  const tag = new Uint8Array(hash.close());
  const mask = new Uint8Array(cipher.encrypt(counterBlock(nonce, 1)));
  for (let i = 0; i < TAG; i++) tag[i]! ^= mask[i]!;
  return tag;
}

function counterMode(cipher: SdkCipher, nonce: Uint8Array, data: Uint8Array): Uint8Array {
  if (data.length === 0) return new Uint8Array(0);
  return new Uint8Array(new crypt.Mode("CTR", cipher, counterBlock(nonce, 2)).encrypt(bufferOf(data)));
}

/** In a time that does not depend on where they differ. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

function sized(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new Error(`"${name}" expected Uint8Array of length ${length}, got length=${bytes.length}`);
}

/** The seam's crypto over `random`, which each platform takes from its own hardware. */
export function cryptoOver(random: (length: number) => Uint8Array): Crypto {
  return {
    random,
    sha256: (...parts) => sha256(parts),
    createSha256: () => new Sha256(),
    hmacSha256: (key, ...parts) => hmac(key, parts),
    aesCbcEncrypt: (key, iv, data) =>
      data.length === 0 ? data : new Uint8Array(cbc(key, iv, data).encrypt(bufferOf(data))),
    aesCbcDecrypt: (key, iv, data) =>
      data.length === 0 ? data : new Uint8Array(cbc(key, iv, data).decrypt(bufferOf(data))),
    aesGcmSeal(key, nonce, aad, plaintext) {
      sized("nonce", nonce, 12);
      const cipher = aes(key, 32);
      const ciphertext = counterMode(cipher, nonce, plaintext);
      const sealed = new Uint8Array(ciphertext.length + TAG);
      sealed.set(ciphertext);
      sealed.set(gcmTag(cipher, nonce, aad, ciphertext), ciphertext.length);
      return sealed;
    },
    aesGcmOpen(key, nonce, aad, sealed) {
      sized("nonce", nonce, 12);
      if (sealed.length < TAG) return undefined;
      const cipher = aes(key, 32);
      const ciphertext = sealed.subarray(0, sealed.length - TAG);
      if (!same(gcmTag(cipher, nonce, aad, ciphertext), sealed.subarray(ciphertext.length))) return undefined;
      return counterMode(cipher, nonce, ciphertext);
    },
    x25519(secret, publicKey) {
      sized("secret", secret, KEY);
      sized("publicKey", publicKey, KEY);
      return new Uint8Array(native("xs_x25519").call(undefined, secret, publicKey) as ArrayBuffer);
    },
    x25519Public(secret) {
      sized("secret", secret, KEY);
      return new Uint8Array(native("xs_x25519").call(undefined, secret) as ArrayBuffer);
    },
    ed25519Verify(publicKey, message, signature) {
      if (publicKey.length !== KEY || signature.length !== 2 * KEY) return false;
      return native("xs_ed25519_verify").call(undefined, publicKey, message, signature) as boolean;
    },
  };
}
