// The device's own C for X25519 and Ed25519: published vectors and hard cases.

import test from "ava";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { crypto } from "../../../host/crypto.js";
import { seededRandom } from "../../support/random.js";
import { answersOf, buildDriver, type Driver } from "./driver.js";

interface Vectors {
  x25519: { what: string; scalar: string; point: string; shared: string }[];
  ed25519: { what: string; key: string; message: string; signature: string; valid: boolean }[];
}

const vectors = JSON.parse(readFileSync("test/vectors/curve25519.json", "utf8")) as Vectors;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

function flipped(from: Uint8Array, bit: number): Uint8Array {
  const copy = from.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

let driver: Driver;
test.before(async () => {
  driver = await buildDriver("-O2");
});
test.after.always(() => driver?.remove());

test("X25519: RFC 7748 section 5.2, both vectors, and the top bit of a point does not count", async (t) => {
  const first = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
  const second = "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d";
  t.deepEqual(
    await answersOf(driver, [
      `x ${first} e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c`,
      `x ${first} e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1ccc`,
      `x ${second} e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493`,
    ]),
    [
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ],
  );
});

test("X25519: RFC 7748 section 5.2, once and a thousand times over", async (t) => {
  t.deepEqual(await answersOf(driver, ["i 1", "i 1000"]), [
    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
    "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
  ]);
});

test("X25519: low order, values of p and more, both curve and twist (test/vectors/README.md)", async (t) => {
  t.true(vectors.x25519.length > 70);
  const got = await answersOf(
    driver,
    vectors.x25519.map(({ scalar, point }) => `x ${scalar} ${point}`),
  );
  vectors.x25519.forEach(({ what, shared }, i) => t.is(got[i], shared, what));
});

test("Ed25519: what is strict refuses, and what it does not (test/vectors/README.md); the server says the same", async (t) => {
  t.true(vectors.ed25519.length > 60);
  const got = await answersOf(
    driver,
    vectors.ed25519.map(({ key, signature, message }) => `v ${key} ${signature} ${message}`),
  );
  vectors.ed25519.forEach(({ what, key, message, signature, valid }, i) => {
    t.is(got[i], valid ? "1" : "0", what);
    t.is(crypto.ed25519Verify(bytes(key), bytes(message), bytes(signature)), valid, `server: ${what}`);
  });
});

/** RFC 8032 section 7.1: public key, signature, message of tests 1 to 3 and SHA(abc). */
const RFC_8032 = [
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a " +
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c " +
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00 72",
  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025 " +
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a af82",
  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf " +
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589" +
    "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704 " +
    createHash("sha512").update("abc").digest("hex"),
];

test("Ed25519: RFC 8032 section 7.1, and nothing with a bit of signature, key or message changed", async (t) => {
  t.deepEqual(
    await answersOf(
      driver,
      RFC_8032.map((line) => `v ${line}`),
    ),
    ["1", "1", "1", "1"],
  );
  const [key, signature, message] = RFC_8032[2]!.split(" ").map(bytes);
  const question = (k: Uint8Array, s: Uint8Array, m: Uint8Array) => `v ${hex(k)} ${hex(s)} ${hex(m)}`;
  const changed = [question(key!, signature!, Uint8Array.of(...message!, 0))];
  for (let bit = 0; bit < 512; bit += 5) changed.push(question(key!, flipped(signature!, bit), message!));
  for (let bit = 0; bit < 256; bit += 5) changed.push(question(flipped(key!, bit), signature!, message!));
  for (let bit = 0; bit < 16; bit += 1) changed.push(question(key!, signature!, flipped(message!, bit)));
  t.deepEqual(new Set(await answersOf(driver, changed)), new Set(["0"]));
});

const P = 2n ** 255n - 19n;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % P; exponent > 0n; exponent >>= 1n, square = (square * square) % P)
    if (exponent & 1n) result = (result * square) % P;
  return result;
}

/** RFC 8032 section 5.1.3, by Euler's criterion: has -x^2 + y^2 = 1 + d x^2 y^2 an x? And the encoding must be the only one. */
function isEncoding(encoded: bigint): boolean {
  const [y, odd] = [encoded & (2n ** 255n - 1n), encoded >> 255n];
  if (y >= P) return false;
  const d = ((P - 121665n) * power(121666n, P - 2n)) % P;
  const square = ((y * y - 1n + P) * power((d * y * y + 1n) % P, P - 2n)) % P;
  if (square === 0n) return odd === 0n;
  return power(square, (P - 1n) / 2n) === 1n;
}

test("points: every y near 0 and p, both signs, and seeded ones, are taken or refused as the formula says", async (t) => {
  const random = seededRandom(20261127);
  const ys = [
    ...Array.from({ length: 60 }, (_, i) => BigInt(i)),
    ...Array.from({ length: 40 }, (_, i) => P - 20n + BigInt(i)), // the last is 2^255: y = 0, odd
    ...Array.from({ length: 100 }, () => BigInt(`0x${hex(random.bytes(32))}`) >> 1n),
  ];
  const all = ys.flatMap((y) => [y, y | (1n << 255n)]);
  const text = (value: bigint) => hex(bytes(value.toString(16).padStart(64, "0")).reverse());
  const got = await answersOf(
    driver,
    all.map((value) => `p ${text(value)}`),
  );
  t.deepEqual(
    got,
    all.map((value) => (isEncoding(value) ? text(value) : "0")),
  );
  t.true(got.filter((line) => line === "0").length > 100);
  t.true(got.filter((line) => line !== "0").length > 100);
});

test("SHA-512 is Node's, for every length up to three blocks", async (t) => {
  const random = seededRandom(7);
  const messages = Array.from({ length: 400 }, (_, length) => random.bytes(length));
  const got = await answersOf(
    driver,
    messages.map((message) => `h ${hex(message)}`),
  );
  messages.forEach((message, i) =>
    t.is(got[i], createHash("sha512").update(message).digest("hex"), `${i} bytes, seed ${random.seed}`),
  );
});
