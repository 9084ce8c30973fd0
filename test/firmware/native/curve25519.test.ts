// The device's own C for X25519 and Ed25519: published vectors, hard cases, and agreement with two other implementations.

import test from "ava";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import nacl from "tweetnacl";
import { crypto } from "../../../host/crypto.js";
import { seededRandom, type Random } from "../../support/random.js";
import { ask, buildDriver, type Driver } from "./driver.js";

interface Vectors {
  x25519: { what: string; scalar: string; point: string; shared: string }[];
  ed25519: { what: string; key: string; message: string; signature: string; valid: boolean }[];
}

const vectors = JSON.parse(readFileSync("test/vectors/curve25519.json", "utf8")) as Vectors;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

let driver: Driver;
test.before(async () => {
  driver = await buildDriver("-O2");
});
test.after.always(() => driver?.remove());

async function answers(questions: string[]): Promise<string[]> {
  const { lines, code, complaints } = await ask(driver, questions);
  if (code !== 0 || lines.length !== questions.length) throw new Error(`exit ${code}: ${complaints}`);
  return lines;
}

test("X25519: RFC 7748 section 5.2, both vectors, and the top bit of a point does not count", async (t) => {
  const first = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
  const second = "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d";
  t.deepEqual(
    await answers([
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
  t.deepEqual(await answers(["i 1", "i 1000"]), [
    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
    "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
  ]);
});

test("X25519: low order, values of p and more, both curve and twist (test/vectors/README.md)", async (t) => {
  t.true(vectors.x25519.length > 70);
  const got = await answers(vectors.x25519.map(({ scalar, point }) => `x ${scalar} ${point}`));
  vectors.x25519.forEach(({ what, shared }, i) => t.is(got[i], shared, what));
});

test("Ed25519: what is strict refuses, and what it does not (test/vectors/README.md); the server says the same", async (t) => {
  t.true(vectors.ed25519.length > 60);
  const got = await answers(
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
  t.deepEqual(await answers(RFC_8032.map((line) => `v ${line}`)), ["1", "1", "1", "1"]);
  const [key, signature, message] = RFC_8032[2]!.split(" ").map(bytes);
  const question = (k: Uint8Array, s: Uint8Array, m: Uint8Array) => `v ${hex(k)} ${hex(s)} ${hex(m)}`;
  const changed = [question(key!, signature!, Uint8Array.of(...message!, 0))];
  for (let bit = 0; bit < 512; bit += 5) changed.push(question(key!, flipped(signature!, bit), message!));
  for (let bit = 0; bit < 256; bit += 5) changed.push(question(flipped(key!, bit), signature!, message!));
  for (let bit = 0; bit < 16; bit += 1) changed.push(question(key!, signature!, flipped(message!, bit)));
  t.deepEqual(new Set(await answers(changed)), new Set(["0"]));
});

test("SHA-512 is Node's, for every length up to three blocks", async (t) => {
  const random = seededRandom(7);
  const messages = Array.from({ length: 400 }, (_, length) => random.bytes(length));
  const got = await answers(messages.map((message) => `h ${hex(message)}`));
  messages.forEach((message, i) =>
    t.is(got[i], createHash("sha512").update(message).digest("hex"), `${i} bytes, seed ${random.seed}`),
  );
});

// ---- against node:crypto and tweetnacl -----------------------------------------------------------------------------

/** tweetnacl needs 5 to 10 ms a case: all of them are asked of it where nothing may be left out. */
const CASES = process.env["BROOME_NO_SKIP"] === "1" ? 10_000 : 1_000;

function flipped(from: Uint8Array, bit: number): Uint8Array {
  const copy = from.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

interface Case {
  question: string;
  /** What node:crypto says (through the server's code), and what tweetnacl says. */
  node: string;
  nacl: string;
}

/** Any 32 bytes, now and then with many equal bits, where carries run far. */
function someBytes(random: Random): Uint8Array {
  const value = random.bytes(32);
  if (random.below(4) > 0) return value;
  const fill = random.below(2) * 255;
  return value.fill(fill, random.below(32), random.below(33));
}

function exchange(random: Random): Case {
  const [scalar, point] = [someBytes(random), someBytes(random)];
  return {
    question: `x ${hex(scalar)} ${hex(point)}`,
    node: hex(crypto.x25519(scalar, point)),
    nacl: hex(nacl.scalarMult(scalar, point)),
  };
}

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410

/** An honest signature, or one with a changed bit in one of its three parts. */
function verification(random: Random): Case {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8, random.bytes(32)]),
    format: "der",
    type: "pkcs8",
  });
  let key = new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32));
  let message = random.bytes(1 + random.below(300));
  let signature = new Uint8Array(sign(null, message, privateKey));
  const kind = random.below(6);
  // The upper four bits of S stay: tweetnacl does not refuse an S of L or more.
  if (kind === 0) signature = new Uint8Array(flipped(signature, random.below(508)));
  if (kind === 1) message = flipped(message, random.below(8 * message.length));
  if (kind === 2) key = new Uint8Array(flipped(key, random.below(256)));
  return {
    question: `v ${hex(key)} ${hex(signature)} ${hex(message)}`,
    node: crypto.ed25519Verify(key, message, signature) ? "1" : "0",
    nacl: nacl.sign.detached.verify(message, signature, key) ? "1" : "0",
  };
}

for (const [name, make, seed] of [
  ["X25519", exchange, 20261127],
  ["Ed25519", verification, 20261128],
] as const)
  test(`${name} agrees with node:crypto and tweetnacl on ${CASES / 2} seeded cases`, async (t) => {
    t.timeout(900_000);
    const random = seededRandom(seed);
    t.log(`seed ${random.seed}`);
    const cases = Array.from({ length: CASES / 2 }, () => make(random));
    const got = await answers(cases.map(({ question }) => question));
    cases.forEach((one, i) => {
      t.is(got[i], one.node, `node:crypto, seed ${random.seed}, case ${i}: ${one.question}`);
      t.is(got[i], one.nacl, `tweetnacl, seed ${random.seed}, case ${i}: ${one.question}`);
    });
    t.true(new Set(got).size > 1);
  });
