// The chip's crypto hardware and native code, over node:crypto (firmware/protocol/crypto.ts says what each one takes).

import * as node from "node:crypto";
import { BusError } from "../engine/engine.js";
import type { RandomBytes } from "./random.js";

const MAX_HASHES = 8;
const BLOCK_SIZE = 16; // bytes, AES
const TAG_SIZE = 16; // bytes, GCM

/** DER heads that turn 32 raw bytes into a key object (RFC 8410 7). */
const X25519_SECRET = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_PUBLIC = Buffer.from("302a300506032b656e032100", "hex");
const ED25519_PUBLIC = Buffer.from("302a300506032b6570032100", "hex");

const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31)); // RFC 7748 4.1
const FIELD_PRIME = 2n ** 255n - 19n; // RFC 8032 5.1
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN_BIT = 2n ** 255n;

/** y of the points whose order divides 8: a public key among them verifies anything. */
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

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

  /** All zero for a low-order point: the program checks. */
  x25519(secret: Uint8Array, point: Uint8Array): Uint8Array {
    const privateKey = node.createPrivateKey({
      key: Buffer.concat([X25519_SECRET, secret]),
      format: "der",
      type: "pkcs8",
    });
    try {
      return plain(node.diffieHellman({ privateKey, publicKey: publicKey(X25519_PUBLIC, point) }));
    } catch {
      return new Uint8Array(32); // OpenSSL refuses to hand out a result of zeros
    }
  }

  x25519Public(secret: Uint8Array): Uint8Array {
    return this.x25519(secret, BASE_POINT);
  }

  /** Strict: S < L, both points canonical, no key of small order (RFC 8032 5.1.7, 8.4). */
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (key.length !== 32 || signature.length !== 64) return false;
    const keyPoint = littleEndian(key);
    if (!isCanonical(keyPoint) || !isCanonical(littleEndian(signature.subarray(0, 32)))) return false;
    if (SMALL_ORDER_Y.has(keyPoint % SIGN_BIT)) return false;
    if (littleEndian(signature.subarray(32)) >= GROUP_ORDER) return false;
    return node.verify(null, message, publicKey(ED25519_PUBLIC, key), signature);
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

function publicKey(head: Buffer, raw: Uint8Array): node.KeyObject {
  return node.createPublicKey({ key: Buffer.concat([head, raw]), format: "der", type: "spki" });
}

function cbc(cipher: node.Cipher | node.Decipher, data: Uint8Array): Uint8Array {
  if (data.length % BLOCK_SIZE !== 0)
    throw new BusError("bad-argument", `${data.length} bytes are not whole blocks of ${BLOCK_SIZE}`);
  cipher.setAutoPadding(false);
  return plain(Buffer.concat([cipher.update(data), cipher.final()]));
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function isCanonical(point: bigint): boolean {
  return point % SIGN_BIT < FIELD_PRIME;
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}
