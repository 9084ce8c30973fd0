// The device's own C for X25519 and Ed25519 against node:crypto and tweetnacl, on seeded cases.

import test, { type ExecutionContext } from "ava";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import nacl from "tweetnacl";
import { crypto } from "../../../host/crypto.js";
import { seededRandom, type Random } from "../../support/random.js";
import { answersOf, buildDriver, type Driver } from "./driver.js";

/** Half of them X25519. tweetnacl needs up to 10 ms a case: all 10,000 are run where nothing may be left out. */
const CASES = process.env["BROOME_NO_SKIP"] === "1" ? 10_000 : 1_000;
const BATCH = 100;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

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

async function compare(t: ExecutionContext, make: (random: Random) => Case, seed: number): Promise<void> {
  t.timeout(300_000);
  const random = seededRandom(seed);
  t.log(`seed ${random.seed}`);
  const cases = Array.from({ length: BATCH }, () => make(random));
  const got = await answersOf(
    driver,
    cases.map(({ question }) => question),
  );
  cases.forEach((one, i) => {
    t.is(got[i], one.node, `node:crypto, seed ${random.seed}, case ${i}: ${one.question}`);
    t.is(got[i], one.nacl, `tweetnacl, seed ${random.seed}, case ${i}: ${one.question}`);
  });
  t.true(new Set(got).size > 1);
}

// Batches, because a test that is quiet for three minutes is taken for dead. BROOME_SEED makes all of them the same one.
for (let batch = 0; batch < CASES / 2 / BATCH; batch += 1) {
  const cases = `cases ${batch * BATCH} to ${(batch + 1) * BATCH} of ${CASES / 2}`;
  test.serial(`X25519 agrees with node:crypto and tweetnacl, ${cases}`, compare, exchange, 20261127 + batch);
  test.serial(
    `Ed25519 agrees with node:crypto and tweetnacl, ${cases}`,
    compare,
    verification,
    20271127 + batch,
  );
}
