// `device/crypto` of the virtual platform: the board's crypto stands for the chip's hardware and the SDK's native code; the
// curve is the boards' own C (firmware/native/curve25519.h), which the engine has as two functions.

import type { Hash } from "../../format/hash.js";
import type { Crypto } from "../types.js";
import { bytesOf, call, callBytes, callParts } from "./bus.js";

interface Curve25519 {
  /** Without a point: the base point. */
  x25519(secret: Uint8Array, point?: Uint8Array): ArrayBuffer;
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Asked for on every call, as the bus is. */
function native(): Curve25519 {
  return globalThis as unknown as Curve25519;
}

class Sha256 implements Hash {
  private readonly handle = call("crypto.hashStart") as number;

  update(bytes: Uint8Array): void {
    call("crypto.hashUpdate", this.handle, bytes);
  }

  digest(): Uint8Array {
    return callBytes("crypto.hashDigest", this.handle);
  }
}

const crypto: Crypto = {
  random: (length) => callBytes("crypto.random", length),
  sha256: (...parts) => callParts("crypto.sha256", parts),
  createSha256: () => new Sha256(),
  hmacSha256: (...parts) => callParts("crypto.hmac", parts),
  aesCbcEncrypt: (key, iv, data) => callBytes("crypto.aesCbcEncrypt", key, iv, data),
  aesCbcDecrypt: (key, iv, data) => callBytes("crypto.aesCbcDecrypt", key, iv, data),
  aesGcmSeal: (key, nonce, aad, plaintext) => callBytes("crypto.aesGcmSeal", key, nonce, aad, plaintext),
  aesGcmOpen(key, nonce, aad, sealed) {
    const plaintext = call("crypto.aesGcmOpen", key, nonce, aad, sealed);
    return plaintext === undefined || plaintext === null ? undefined : bytesOf(plaintext);
  },
  x25519: (secret, publicKey) => new Uint8Array(native().x25519(secret, publicKey)),
  x25519Public: (secret) => new Uint8Array(native().x25519(secret)),
  ed25519Verify: (publicKey, message, signature) => native().ed25519Verify(publicKey, message, signature),
};

export default crypto;
