// `device/crypto` on the SDK's `crypt` module (digests, AES, GHASH) and our own curve25519 in C.

import * as module from "crypt";
import type { Crypto } from "../types.js";
import type { CryptModule } from "./crypt-module.js";
import { SdkCrypto } from "./sdk-crypto.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

/** The seam's crypto over `random`, which each platform takes from its own hardware. */
export function cryptoOver(random: (length: number) => Uint8Array): Crypto {
  return new SdkCrypto((module as unknown as { default: CryptModule }).default, {
    random,
    x25519: (secret, publicKey) => native("xs_x25519").call(undefined, secret, publicKey) as ArrayBuffer,
    x25519Public: (secret) => native("xs_x25519").call(undefined, secret) as ArrayBuffer,
    ed25519Verify: (publicKey, message, signature) =>
      native("xs_ed25519_verify").call(undefined, publicKey, message, signature) as boolean,
  });
}
