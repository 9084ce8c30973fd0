import test from "ava";
import { hkdfSync } from "node:crypto";
import { decrypt, encrypt, paddedLength } from "../../../firmware/protocol/a128cbc-hs256.js";
import { equalBytes } from "../../../firmware/protocol/equal.js";
import { hkdf, hkdfExpand, hkdfExtract } from "../../../firmware/protocol/hkdf.js";
import { crypto } from "../../../host/crypto.js";
import { seededRandom } from "../../support/random.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

// RFC 5869 appendix A.1 to A.3
const vectors = [
  {
    ikm: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    length: 42,
    prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    ikm: Buffer.from(Array.from({ length: 80 }, (_, i) => i)).toString("hex"),
    salt: Buffer.from(Array.from({ length: 80 }, (_, i) => 0x60 + i)).toString("hex"),
    info: Buffer.from(Array.from({ length: 80 }, (_, i) => 0xb0 + i)).toString("hex"),
    length: 82,
    prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
      da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  },
  {
    ikm: "0b".repeat(22),
    salt: "",
    info: "",
    length: 42,
    prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

for (const [i, { ikm, salt, info, length, prk, okm }] of vectors.entries())
  test(`HKDF: RFC 5869 A.${i + 1}`, (t) => {
    const key = hkdfExtract(crypto, hex(salt), hex(ikm));
    t.deepEqual(key, hex(prk));
    t.deepEqual(hkdfExpand(crypto, key, hex(info), length), hex(okm));
    t.deepEqual(hkdf(crypto, hex(ikm), hex(salt), hex(info), length), hex(okm));
  });

test("HKDF: any length agrees with Node's, and more than it can give is refused", (t) => {
  const { bytes } = seededRandom(2);
  const [ikm, salt, info] = [bytes(32), bytes(16), bytes(20)];
  for (const length of [0, 1, 31, 32, 33, 64, 65, 8160])
    t.deepEqual(
      hkdf(crypto, ikm, salt, info, length),
      new Uint8Array(hkdfSync("sha256", ikm, salt, info, length)),
    );
  t.throws(() => hkdf(crypto, ikm, salt, info, 8161), { instanceOf: RangeError });
});

// RFC 7518 appendix B.1
const key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
const iv = hex("1af38c2dc2b96ffdd86694092341bc04");
const aad = Uint8Array.from(Buffer.from("The second principle of Auguste Kerckhoffs"));
const plaintext = Uint8Array.from(
  Buffer.from(
    "A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy " +
      "without inconvenience",
  ),
);
const ciphertext = hex(`c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9
  a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336
  09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b
  384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5
  4b8851ffb598f7f80074b9473c82e2db`);
const tag = hex("652c3fa36b0a7c5b3219fab3a30bc1c4");

test("A128CBC-HS256: RFC 7518 B.1, both ways", (t) => {
  t.deepEqual(encrypt(crypto, key, iv, aad, plaintext), { ciphertext, tag });
  t.deepEqual(decrypt(crypto, key, iv, aad, ciphertext, tag), plaintext);
  t.is(paddedLength(plaintext.length), ciphertext.length);
});

test("A128CBC-HS256: any bit of key, IV, AAD, ciphertext or tag flipped is refused", (t) => {
  const inputs = { key, iv, aad, ciphertext, tag };
  for (const name of Object.keys(inputs) as (keyof typeof inputs)[])
    for (let bit = 0; bit < inputs[name].length * 8; bit++) {
      if (name === "key" && bit >= 128) break; // the AES half is covered by the ciphertext's tag only when it is used
      const x = { ...inputs, [name]: inputs[name].slice() };
      x[name][bit >> 3]! ^= 1 << (bit & 7);
      t.is(decrypt(crypto, x.key, x.iv, x.aad, x.ciphertext, x.tag), undefined, `${name} bit ${bit}`);
    }
});

test("A128CBC-HS256: tags of 15 and 17 bytes are refused", (t) => {
  t.is(decrypt(crypto, key, iv, aad, ciphertext, tag.slice(0, 15)), undefined);
  t.is(decrypt(crypto, key, iv, aad, ciphertext, Uint8Array.of(...tag, 0)), undefined);
});

test("equal means the same length and the same bytes", (t) => {
  t.true(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  t.false(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  t.false(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)));
  t.true(equalBytes(new Uint8Array(0), new Uint8Array(0)));
});
