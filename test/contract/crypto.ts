// What every implementation of the crypto seam (firmware/protocol/crypto.ts) does: public vectors, and what it must refuse.

import type { TestFn } from "ava";
import type { Crypto } from "../../firmware/protocol/crypto.js";
import { LOW_ORDER_POINTS } from "../support/low-order.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const ascii = (text: string) => Uint8Array.from(Buffer.from(text));
const none = new Uint8Array(0);

/** RFC 8032 section 7.1, tests 1 to 3: public key, message, signature. */
const ED25519 = [
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    `e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
     5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b`,
  ],
  [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    `92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00`,
  ],
  [
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    `6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
     18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a`,
  ],
].map(([key, message, signature]) => ({
  key: hex(key!),
  message: hex(message!),
  signature: hex(signature!),
}));

/** Points of small order, and 1 + p: keys under which anything could verify. */
const BAD_KEYS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** Declares the tests; `make` gives the implementation. */
export function cryptoContract(test: TestFn, name: string, make: () => Crypto): void {
  const crypto = make();

  test(`${name}: SHA-256, whole, in parts and incremental (FIPS 180-4)`, (t) => {
    const abc = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    t.deepEqual(crypto.sha256(ascii("abc")), abc);
    t.deepEqual(crypto.sha256(ascii("a"), none, ascii("bc")), abc);
    t.deepEqual(crypto.sha256(), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    const [one, other] = [crypto.createSha256(), crypto.createSha256()];
    one.update(ascii("ab"));
    other.update(ascii("x"));
    one.update(ascii("c"));
    t.deepEqual(one.digest(), abc);
    t.throws(() => one.digest());
    t.notDeepEqual(other.digest(), abc);
  });

  test(`${name}: HMAC-SHA256 (RFC 4231, cases 2 and 6)`, (t) => {
    const second = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    t.deepEqual(crypto.hmacSha256(ascii("Jefe"), ascii("what do ya want "), ascii("for nothing?")), second);
    t.deepEqual(
      crypto.hmacSha256(
        new Uint8Array(131).fill(0xaa),
        ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
      ),
      hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    );
  });

  test(`${name}: AES-128-CBC without padding (NIST SP 800-38A, F.2.1 and F.2.2)`, (t) => {
    const key = hex("2b7e151628aed2a6abf7158809cf4f3c");
    const iv = hex("000102030405060708090a0b0c0d0e0f");
    const plain = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51");
    const cipher = hex("7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2");
    t.deepEqual(crypto.aesCbcEncrypt(key, iv, plain), cipher);
    t.deepEqual(crypto.aesCbcDecrypt(key, iv, cipher), plain);
    t.throws(() => crypto.aesCbcEncrypt(key, iv, plain.subarray(1)));
  });

  test(`${name}: AES-256-GCM (McGrew and Viega, test case 16), and nothing changed opens`, (t) => {
    const key = hex("feffe9928665731c6d6a8f9467308308 feffe9928665731c6d6a8f9467308308");
    const nonce = hex("cafebabefacedbaddecaf888");
    const aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const plain = hex(`d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
      1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b39`);
    const sealed = hex(`522dc1f099567d07f47f37a32a84427d 643a8cdcbfe5c0c97598a2bd2555d1aa
      8cb08e48590dbb3da7b08b1056828838 c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b`);
    t.deepEqual(crypto.aesGcmSeal(key, nonce, aad, plain), sealed);
    t.deepEqual(crypto.aesGcmOpen(key, nonce, aad, sealed), plain);
    for (let i = 0; i < sealed.length; i++) {
      const flipped = sealed.slice();
      flipped[i]! ^= 1;
      t.is(crypto.aesGcmOpen(key, nonce, aad, flipped), undefined, `byte ${i}`);
    }
    t.is(crypto.aesGcmOpen(key, nonce, none, sealed), undefined);
    t.is(crypto.aesGcmOpen(key, nonce, aad, sealed.subarray(0, 15)), undefined);
    t.is(crypto.aesGcmOpen(key, nonce, aad, none), undefined);
    t.deepEqual(crypto.aesGcmOpen(key, nonce, none, crypto.aesGcmSeal(key, nonce, none, none)), none);
  });

  test(`${name}: X25519 (RFC 7748 sections 5.2 and 6.1)`, (t) => {
    const first = crypto.x25519(
      hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
      hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    );
    t.deepEqual(first, hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
    // u has its top bit set: it is ignored.
    const second = crypto.x25519(
      hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
      hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
    );
    t.deepEqual(second, hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
    const bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const bobPublic = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const alicePublic = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    const shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    t.deepEqual(crypto.x25519Public(bob), bobPublic);
    t.deepEqual(crypto.x25519(bob, alicePublic), shared);
  });

  test(`${name}: X25519 gives zeros for points of low order`, (t) => {
    for (const point of LOW_ORDER_POINTS)
      t.deepEqual(crypto.x25519(crypto.random(32), hex(point)), new Uint8Array(32), point);
  });

  test(`${name}: Ed25519 (RFC 8032 section 7.1), and no bit changed verifies`, (t) => {
    for (const { key, message, signature } of ED25519) {
      t.true(crypto.ed25519Verify(key, message, signature));
      for (let bit = 0; bit < 512; bit += 7) {
        const flipped = signature.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        t.false(crypto.ed25519Verify(key, message, flipped), `bit ${bit}`);
      }
      t.false(crypto.ed25519Verify(key, Uint8Array.of(...message, 0), signature));
    }
  });

  test(`${name}: Ed25519 is strict: S + L, small order, other lengths`, (t) => {
    const { key, message, signature } = ED25519[1]!;
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    let s = 0n;
    for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!);
    const malleated = signature.slice();
    for (let i = 0; i < 32; i++) malleated[32 + i] = Number(((s + order) >> BigInt(8 * i)) & 255n);
    t.false(crypto.ed25519Verify(key, message, malleated));
    // S = 0 and R = the neutral point: under a key of small order this verifies for some messages, if it is not refused.
    const zero = Uint8Array.of(1, ...new Uint8Array(63));
    for (const bad of BAD_KEYS)
      for (let i = 0; i < 16; i++) t.false(crypto.ed25519Verify(hex(bad), Uint8Array.of(i), zero), bad);
    t.false(crypto.ed25519Verify(key, message, signature.subarray(0, 63)));
    t.false(crypto.ed25519Verify(key.subarray(0, 31), message, signature));
  });

  test(`${name}: randomness is as long as asked for, and not the same twice`, (t) => {
    for (const length of [0, 1, 16, 32, 1024]) t.is(crypto.random(length).length, length);
    t.notDeepEqual(crypto.random(32), crypto.random(32));
  });

  test(`${name}: results are byte arrays of their own`, (t) => {
    const one = crypto.sha256(ascii("1"));
    const copy = one.slice();
    crypto.sha256(ascii("2"));
    crypto.hmacSha256(one, one);
    t.deepEqual(one, copy);
    t.is(Object.getPrototypeOf(one), Uint8Array.prototype);
  });
}
