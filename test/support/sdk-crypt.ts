// Moddable's `crypt` module as SDK 8.2.3 behaves (modules/crypt/digest/modCrypt.c), over node:crypto: what it refuses and where
// it is odd included, so that what runs on it here does not lean on more than the board gives.

import { createCipheriv, createDecipheriv, createHash, type Hash } from "node:crypto";
import type {
  CryptModule,
  SdkBlockCipher,
  SdkDigest,
  SdkMode,
} from "../../firmware/device/sdk/crypt-module.js";

/** xsmcToArrayBuffer takes an ArrayBuffer and nothing else. */
function bufferOf(value: ArrayBuffer): Buffer {
  if (!(value instanceof ArrayBuffer)) throw new TypeError("no ArrayBuffer");
  return Buffer.from(value);
}

function exact(buffer: Buffer): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}

class Digest implements SdkDigest {
  private readonly hash: Hash = createHash("sha256");

  constructor(type: string) {
    if (type !== "SHA256") throw new Error("crypt: unsupported digest");
  }

  write(data: ArrayBuffer | Uint8Array): void {
    this.hash.update(new Uint8Array(data));
  }

  close(): ArrayBuffer {
    return exact(this.hash.digest());
  }
}

const REDUCTION = 0xe1n << 120n;

/** NIST SP 800-38D algorithm 1, bit by bit. */
function multiply(x: bigint, y: bigint): bigint {
  let z = 0n;
  for (let i = 127n, v = y; i >= 0n; i--) {
    if ((x >> i) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ REDUCTION : v >> 1n;
  }
  return z;
}

class Ghash implements SdkDigest {
  private readonly h: bigint;
  private readonly aadBits: bigint;
  private y = 0n;
  private bits = 0n;

  constructor(h: ArrayBuffer, aad: ArrayBuffer) {
    this.h = BigInt(`0x${bufferOf(h).toString("hex")}`);
    this.write(bufferOf(aad));
    this.aadBits = this.bits;
    this.bits = 0n;
  }

  write(data: ArrayBuffer | Uint8Array): void {
    const bytes = Buffer.from(new Uint8Array(data));
    for (let at = 0; at < bytes.length; at += 16) {
      const block = Buffer.alloc(16); // each write is padded by itself, as _ghash_update does
      bytes.copy(block, 0, at);
      this.y = multiply(this.y ^ BigInt(`0x${block.toString("hex")}`), this.h);
    }
    this.bits += BigInt(bytes.length) * 8n;
  }

  close(): ArrayBuffer {
    const y = multiply(this.y ^ ((this.aadBits << 64n) | this.bits), this.h);
    return exact(Buffer.from(y.toString(16).padStart(32, "0"), "hex"));
  }
}

class BlockCipher implements SdkBlockCipher {
  readonly key: Buffer;

  constructor(name: string, key: ArrayBuffer) {
    this.key = bufferOf(key);
    if (name !== "AES" || ![16, 24, 32].includes(this.key.length)) throw new Error("bad key size");
  }

  encrypt(block: ArrayBuffer): ArrayBuffer {
    if (block.byteLength < 16) throw new Error("bad size");
    const cipher = createCipheriv(`aes-${this.key.length * 8}-ecb`, this.key, null).setAutoPadding(false);
    return exact(cipher.update(bufferOf(block).subarray(0, 16)));
  }
}

class Mode implements SdkMode {
  private readonly cipher: BlockCipher;
  private readonly name: string;
  private iv: Buffer;

  constructor(mode: string, cipher: SdkBlockCipher, iv: ArrayBuffer) {
    this.cipher = cipher as BlockCipher;
    this.name = `aes-${this.cipher.key.length * 8}-${mode.toLowerCase()}`;
    this.iv = bufferOf(iv);
  }

  encrypt(data: ArrayBuffer): ArrayBuffer {
    return exact(
      createCipheriv(this.name, this.cipher.key, this.iv)
        .setAutoPadding(false)
        .update(whole(this.name, data)),
    );
  }

  decrypt(data: ArrayBuffer): ArrayBuffer {
    return exact(
      createDecipheriv(this.name, this.cipher.key, this.iv)
        .setAutoPadding(false)
        .update(whole(this.name, data)),
    );
  }
}

/** CBC leaves out, silently, what does not fill a block. */
function whole(name: string, data: ArrayBuffer): Buffer {
  const bytes = bufferOf(data);
  return name.endsWith("cbc") ? bytes.subarray(0, bytes.length - (bytes.length % 16)) : bytes;
}

export const sdkCrypt: CryptModule = { Digest, GHASH: Ghash, BlockCipher, Mode };
