// The chip's crypto: published vectors, and what it must refuse.

import test from "ava";
import { createHash } from "node:crypto";
import { ChipCrypto } from "../../../tools/simulator/crypto.js";
import { keyBytes, seededBytes } from "../../../tools/simulator/random.js";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const chip = new ChipCrypto(seededBytes(1, "test"));

test("SHA-256 and HMAC take parts, and hash as one", (t) => {
  const parts = [hex("616263"), hex(""), hex("64")];
  t.is(toHex(chip.sha256(parts)), createHash("sha256").update("abcd").digest("hex"));
  // RFC 4231, test case 2
  const digest = chip.hmac(new Uint8Array(Buffer.from("Jefe")), [
    new Uint8Array(Buffer.from("what do ya want for nothing?")),
  ]);
  t.is(toHex(digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("hashes are held by handle, eight at a time, until they are ended", (t) => {
  const own = new ChipCrypto(seededBytes(1, "test"));
  const handles = Array.from({ length: 8 }, () => own.hashStart());
  t.throws(() => own.hashStart(), { code: "too-many" });
  own.hashUpdate(handles[3]!, hex("616263"));
  t.is(toHex(own.hashDigest(handles[3]!)), createHash("sha256").update("abc").digest("hex"));
  t.throws(() => own.hashDigest(handles[3]!), { code: "closed" });
  t.notThrows(() => own.hashStart());
});

test("AES-128-CBC without padding: NIST SP 800-38A F.2.1", (t) => {
  const key = hex("2b7e151628aed2a6abf7158809cf4f3c");
  const iv = hex("000102030405060708090a0b0c0d0e0f");
  const plain = hex("6bc1bee22e409f96e93d7e117393172a");
  const sealed = chip.aesCbcEncrypt(key, iv, plain);
  t.is(toHex(sealed), "7649abac8119b246cee98e9b12e9197d");
  t.deepEqual(chip.aesCbcDecrypt(key, iv, sealed), plain);
  t.throws(() => chip.aesCbcEncrypt(key, iv, plain.subarray(1)), { code: "bad-argument" });
});

test("AES-256-GCM: a changed byte or short input opens to nothing", (t) => {
  const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), hex("01")];
  const sealed = chip.aesGcmSeal(key, nonce, aad, hex("00112233"));
  t.is(sealed.length, 20);
  t.deepEqual(chip.aesGcmOpen(key, nonce, aad, sealed), hex("00112233"));
  for (let i = 0; i < sealed.length; i += 1)
    t.is(
      chip.aesGcmOpen(
        key,
        nonce,
        aad,
        sealed.map((byte, at) => (at === i ? byte ^ 1 : byte)),
      ),
      undefined,
    );
  t.is(chip.aesGcmOpen(key, nonce, hex("02"), sealed), undefined);
  t.is(chip.aesGcmOpen(key, nonce, aad, sealed.subarray(0, 15)), undefined);
});

test("keys come from the secure generator unless a test world says otherwise", (t) => {
  const secure = keyBytes({ keys: "secure", test: false }, 1, "keys");
  t.notDeepEqual(secure(32), keyBytes({ keys: "secure", test: false }, 1, "keys")(32));
  t.throws(() => keyBytes({ keys: "seeded", test: false }, 1, "keys"), { message: /not marked as test/ });
  t.deepEqual(
    keyBytes({ keys: "seeded", test: true }, 1, "keys")(32),
    keyBytes({ keys: "seeded", test: true }, 1, "keys")(32),
  );
  t.deepEqual(keyBytes({ keys: "stuck", test: true }, 1, "keys")(4), new Uint8Array(4));
});
