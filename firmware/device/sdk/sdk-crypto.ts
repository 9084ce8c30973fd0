// The seam's crypto over the SDK's `crypt`, which is handed in: so that all of it runs in Node's tests as well. What `crypt` has
// wrong or lacks is left alone: its padding (5 bytes give 0), its `rng` (not for keys), HMAC and GCM in JavaScript.

import type { Hash } from "../../format/hash.js";
import type { Crypto } from "../types.js";
import { bufferOf } from "./bytes.js";
import type { CryptModule, SdkDigest } from "./crypt-module.js";
import { Gcm } from "./gcm.js";
import { hmacSha256 } from "./hmac.js";

/** What our own C gives. */
export interface NativeCrypto {
  random(length: number): Uint8Array;
  x25519(secret: Uint8Array, publicKey: Uint8Array): ArrayBuffer;
  x25519Public(secret: Uint8Array): ArrayBuffer;
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

const AES_BLOCK_SIZE = 16;

class SdkSha256 implements Hash {
  private digester: SdkDigest | undefined; // undefined once it is over: the SDK would go on, and digest its own padding

  constructor(crypt: CryptModule) {
    this.digester = new crypt.Digest("SHA256");
  }

  update(bytes: Uint8Array): void {
    if (!this.digester) throw new Error("update after digest");
    if (bytes.length > 0) this.digester.write(bytes);
  }

  digest(): Uint8Array {
    const { digester } = this;
    if (!digester) throw new Error("digest after digest");
    this.digester = undefined;
    return new Uint8Array(digester.close());
  }
}

export class SdkCrypto implements Crypto {
  private readonly crypt: CryptModule;
  private readonly native: NativeCrypto;

  constructor(crypt: CryptModule, native: NativeCrypto) {
    this.crypt = crypt;
    this.native = native;
  }

  random(length: number): Uint8Array {
    return this.native.random(length);
  }

  sha256(...parts: Uint8Array[]): Uint8Array {
    const hash = this.createSha256();
    for (const part of parts) hash.update(part);
    return hash.digest();
  }

  createSha256(): Hash {
    return new SdkSha256(this.crypt);
  }

  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
    return hmacSha256(() => this.createSha256(), key, parts);
  }

  aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
    checkCbc(key, iv, data);
    return new Uint8Array(this.cbc(key, iv).encrypt(bufferOf(data)));
  }

  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
    checkCbc(key, iv, data);
    return new Uint8Array(this.cbc(key, iv).decrypt(bufferOf(data)));
  }

  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkLength("key", key, 32);
    return new Gcm(this.crypt, key).seal(nonce, aad, plaintext);
  }

  aesGcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    checkLength("key", key, 32);
    return new Gcm(this.crypt, key).open(nonce, aad, sealed);
  }

  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
    checkLength("secret", secret, 32);
    checkLength("publicKey", publicKey, 32);
    return new Uint8Array(this.native.x25519(secret, publicKey));
  }

  x25519Public(secret: Uint8Array): Uint8Array {
    checkLength("secret", secret, 32);
    return new Uint8Array(this.native.x25519Public(secret));
  }

  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    return this.native.ed25519Verify(publicKey, message, signature);
  }

  private cbc(key: Uint8Array, iv: Uint8Array) {
    const cipher = new this.crypt.BlockCipher("AES", bufferOf(key));
    return new this.crypt.Mode("CBC", cipher, bufferOf(iv));
  }
}

function checkCbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): void {
  checkLength("key", key, 16);
  checkLength("iv", iv, AES_BLOCK_SIZE);
  // The SDK would leave out what does not fill a block, without a word.
  if (data.length % AES_BLOCK_SIZE !== 0)
    throw new Error(`"data" expected a multiple of 16 bytes, got ${data.length}`);
}

function checkLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new Error(`"${name}" expected ${length} bytes, got ${bytes.length}`);
}
