// The boards' crypto over the SDK's `crypt`: the seam's contract, and node:crypto as the other opinion on GCM, CBC and HMAC.

import test from "ava";
import { createCipheriv, createHmac } from "node:crypto";
import { SdkCrypto } from "../../../../firmware/device/sdk/sdk-crypto.js";
import type { NativeCrypto } from "../../../../firmware/device/sdk/sdk-crypto.js";
import { Gcm } from "../../../../firmware/device/sdk/gcm.js";
import { crypto as hostCrypto } from "../../../../host/crypto.js";
import { cryptoContract } from "../../../contract/crypto.js";
import { seededRandom } from "../../../support/random.js";
import { sdkCrypt } from "../../../support/sdk-crypt.js";

/** node:crypto in the place of the chip's C, which has tests of its own. */
const native: NativeCrypto = {
  random: (length) => hostCrypto.random(length),
  x25519: (secret, publicKey) => hostCrypto.x25519(secret, publicKey).slice().buffer as ArrayBuffer,
  x25519Public: (secret) => hostCrypto.x25519Public(secret).slice().buffer as ArrayBuffer,
  ed25519Verify: (publicKey, message, signature) => hostCrypto.ed25519Verify(publicKey, message, signature),
};
const crypto = new SdkCrypto(sdkCrypt, native);

cryptoContract(test, "sdk", () => new SdkCrypto(sdkCrypt, native));

test("GCM agrees with node:crypto on keys of both sizes and data of any length, views into larger buffers included", (t) => {
  const random = seededRandom(20260731);
  for (let round = 0; round < 300; round += 1) {
    const key = random.bytes(round % 2 ? 32 : 16);
    const nonce = random.bytes(12);
    const aad = random.bytes(random.below(70)).subarray(round % 3);
    const plain = random.bytes(4 + random.below(100)).subarray(round % 4);
    const cipher = createCipheriv(key.length === 32 ? "aes-256-gcm" : "aes-128-gcm", key, nonce).setAAD(aad);
    const expected = new Uint8Array(
      Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    );
    const gcm = new Gcm(sdkCrypt, key);
    t.deepEqual(gcm.seal(nonce, aad, plain), expected, `seed ${random.seed}, round ${round}`);
    t.deepEqual(gcm.open(nonce, aad, expected), plain);
    expected[random.below(expected.length)]! ^= 1 << random.below(8);
    t.is(gcm.open(nonce, aad, expected), undefined, `seed ${random.seed}, round ${round}`);
  }
});

test("HMAC and CBC agree with node:crypto at the edges of their blocks", (t) => {
  const random = seededRandom(7);
  for (const length of [0, 1, 55, 56, 63, 64, 65, 128, 200]) {
    const key = random.bytes(length);
    const data = random.bytes(length + 3);
    t.deepEqual(
      crypto.hmacSha256(key, data.subarray(0, 2), data.subarray(2)),
      new Uint8Array(createHmac("sha256", key).update(data).digest()),
      `seed ${random.seed}, ${length} bytes`,
    );
  }
  for (const blocks of [0, 1, 5]) {
    const [key, iv, data] = [random.bytes(16), random.bytes(16), random.bytes(16 * blocks)];
    const sealed = crypto.aesCbcEncrypt(key, iv, data);
    const node = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
    t.deepEqual(sealed, new Uint8Array(Buffer.concat([node.update(data), node.final()])));
    t.deepEqual(crypto.aesCbcDecrypt(key, iv, sealed), data);
  }
});

test("keys, nonces and data of another size are refused with the size", (t) => {
  const bytes = (length: number) => new Uint8Array(length);
  t.throws(() => new Gcm(sdkCrypt, bytes(24)), { message: /16 or 32 bytes, got 24/ });
  t.throws(() => crypto.aesGcmSeal(bytes(32), bytes(16), bytes(0), bytes(0)), {
    message: /12 bytes, got 16/,
  });
  t.throws(() => crypto.aesGcmOpen(bytes(16), bytes(12), bytes(0), bytes(16)), {
    message: /32 bytes, got 16/,
  });
  t.throws(() => crypto.aesCbcDecrypt(bytes(16), bytes(16), bytes(17)), {
    message: /multiple of 16 bytes, got 17/,
  });
  t.throws(() => crypto.aesCbcEncrypt(bytes(32), bytes(16), bytes(16)), { message: /"key" expected 16/ });
  t.throws(() => crypto.x25519(bytes(31), bytes(32)), { message: /"secret" expected 32 bytes, got 31/ });
  t.throws(() => crypto.x25519(bytes(32), bytes(33)), { message: /"publicKey" expected 32 bytes, got 33/ });
});
