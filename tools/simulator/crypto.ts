// The chip's crypto hardware, over node:crypto (firmware/protocol/crypto.ts says what each one takes).

import * as node from "node:crypto";
import { BusError } from "../engine/engine.js";
import type { RandomBytes } from "./random.js";

const MAX_HASHES = 8;
const BLOCK_SIZE = 16; // bytes, AES
const TAG_SIZE = 16; // bytes, GCM

export class ChipCrypto {
  readonly random: RandomBytes;
  private readonly hashes = new Map<number, node.Hash>();
  private lastHandle = 0;

  constructor(random: RandomBytes) {
    this.random = random;
  }

  sha256(parts: Uint8Array[]): Uint8Array {
    const hash = node.createHash("sha256");
    for (const part of parts) hash.update(part);
    return plain(hash.digest());
  }

  hmac(key: Uint8Array, parts: Uint8Array[]): Uint8Array {
    const hmac = node.createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return plain(hmac.digest());
  }

  /** @throws BusError `too-many`: a hash that is never ended would keep its memory on a chip */
  hashStart(): number {
    if (this.hashes.size >= MAX_HASHES) throw new BusError("too-many", `${MAX_HASHES} hashes are open`);
    this.lastHandle += 1;
    this.hashes.set(this.lastHandle, node.createHash("sha256"));
    return this.lastHandle;
  }

  hashUpdate(handle: number, bytes: Uint8Array): void {
    this.hash(handle).update(bytes);
  }

  hashDigest(handle: number): Uint8Array {
    const digest = this.hash(handle).digest();
    this.hashes.delete(handle);
    return plain(digest);
  }

  aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
    return cbc(node.createCipheriv("aes-128-cbc", key, iv), data);
  }

  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
    return cbc(node.createDecipheriv("aes-128-cbc", key, iv), data);
  }

  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = node.createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(aad);
    return plain(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
  }

  /** Undefined where the tag does not verify. */
  aesGcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    if (sealed.length < TAG_SIZE) return undefined;
    const decipher = node.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_SIZE));
    const plaintext = decipher.update(sealed.subarray(0, sealed.length - TAG_SIZE));
    try {
      return plain(Buffer.concat([plaintext, decipher.final()]));
    } catch {
      return undefined;
    }
  }

  /** The chip resets. */
  reset(): void {
    this.hashes.clear();
  }

  private hash(handle: number): node.Hash {
    const hash = this.hashes.get(handle);
    if (hash === undefined) throw new BusError("closed", `no open hash has handle ${handle}`);
    return hash;
  }
}

function cbc(cipher: node.Cipher | node.Decipher, data: Uint8Array): Uint8Array {
  if (data.length % BLOCK_SIZE !== 0)
    throw new BusError("bad-argument", `${data.length} bytes are not whole blocks of ${BLOCK_SIZE}`);
  cipher.setAutoPadding(false);
  return plain(Buffer.concat([cipher.update(data), cipher.final()]));
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}
