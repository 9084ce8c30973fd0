import test from "ava";
import { CompactSign, compactVerify } from "jose";
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import nacl from "tweetnacl";
import {
  MAX_MANIFEST,
  assembleManifest,
  buildChunkList,
  chunkCount,
  encodePayload,
  isChunk,
  parseManifest,
  signingInput,
  verifySignature,
} from "../../../firmware/protocol/update-manifest.js";
import type { Manifest, UpdateKey } from "../../../firmware/protocol/update-manifest.js";
import { crypto } from "../../../host/crypto.js";
import { seededRandom } from "../../support/random.js";

const bytes = (value: string) => Uint8Array.from(Buffer.from(value));
const text = (value: Uint8Array) => Buffer.from(value).toString();
const b64 = (value: string | Uint8Array) => Buffer.from(value).toString("base64url");

/** A maker's key: as the device knows it, and able to sign. */
function makerKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "jwk" }).x!;
  return {
    kid,
    entry: [kid, raw] as UpdateKey,
    privateKey,
    publicKey,
    sign: (input: Uint8Array) => new Uint8Array(sign(null, input, privateKey)),
  };
}

const maker = makerKey("maker-1");
const next = makerKey("maker-2");
const stranger = makerKey("stranger");

const manifest: Manifest = {
  f: 1,
  product: "demo",
  chip: "esp32c3",
  layout: "broome-4mb",
  version: "1.0.1",
  sc: 0,
  min: "1.0.0",
  size: 300_000,
  sha256: "0123456789abcdef".repeat(4),
  chunk: 4096,
  list: "fedcba9876543210".repeat(4),
  block: [65_536, 1024, 1],
  keys: [maker.entry],
};

function signed(value: Manifest = manifest, by = maker, second?: typeof maker): Uint8Array {
  const payload = encodePayload(value);
  const part = (key: typeof maker) => ({ kid: key.kid, signature: key.sign(signingInput(key.kid, payload)) });
  return assembleManifest(payload, part(by), second && part(second));
}

/** Whether the device would trust it: parsed, and signed by a key it knows. */
function trusts(file: Uint8Array, keys: readonly UpdateKey[] = [maker.entry]): boolean | undefined {
  return verifySignature(crypto, parseManifest(file), 0, keys);
}

/** A line with any header and payload, really signed. */
function line(header: string, payload: string | Uint8Array, by = maker): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${b64(by.sign(bytes(input)))}`;
}

const header = '{"alg":"EdDSA","kid":"maker-1","typ":"broome-manifest"}';
const payload = text(encodePayload(manifest));

test("a manifest is parsed and verified, and jose verifies it too", async (t) => {
  const file = signed();
  t.deepEqual(parseManifest(file).manifest, manifest);
  t.true(trusts(file));
  const verified = await compactVerify(text(file), maker.publicKey);
  t.is(JSON.stringify(verified.protectedHeader), header);
  t.deepEqual(JSON.parse(text(verified.payload)), manifest);
  t.true(file.length < MAX_MANIFEST, `${file.length} bytes`);
});

test("what jose signs, the device trusts", async (t) => {
  const file = await new CompactSign(encodePayload(manifest))
    .setProtectedHeader({ alg: "EdDSA", kid: "maker-1", typ: "broome-manifest" })
    .sign(maker.privateKey);
  t.true(trusts(bytes(file)));
});

test("RFC 8037 appendix A.4 verifies", (t) => {
  const key = Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url");
  const input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const signature = Buffer.from(
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    "base64url",
  );
  t.true(crypto.ed25519Verify(key, bytes(input), signature));
  t.false(crypto.ed25519Verify(key, bytes(`${input}x`), signature));
});

test("two lines: the second, by a key of the manifest itself, has no payload of its own", (t) => {
  const value = { ...manifest, keys: [next.entry] };
  const file = signed(value, maker, next);
  t.true(file.length <= MAX_MANIFEST, `${file.length} bytes`);
  const parsed = parseManifest(file);
  t.true(verifySignature(crypto, parsed, 0, [maker.entry]));
  t.true(verifySignature(crypto, parsed, 1, value.keys));
  t.is(verifySignature(crypto, parsed, 0, value.keys), undefined);
  const otherPayload = signed({ ...value, version: "9.9.9" }, maker, next);
  const mixed = `${text(file).split("\n")[0]}\n${text(otherPayload).split("\n")[1]}`;
  t.false(verifySignature(crypto, parseManifest(bytes(mixed)), 1, value.keys));
});

test("every single bit flipped is refused", (t) => {
  const file = signed();
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = file.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    let trusted: boolean | undefined = false;
    try {
      trusted = trusts(flipped);
    } catch {
      // refused earlier
    }
    t.not(trusted, true, `bit ${bit}`);
  }
});

test("an unknown kid is no signature at all, a known one by another key a wrong one", (t) => {
  t.is(trusts(signed(manifest, stranger)), undefined);
  t.is(trusts(bytes(line(header, payload, stranger))), false);
});

test("S + L in place of S is refused: one signature for one message", (t) => {
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  const parsed = parseManifest(signed());
  const { signature, input } = parsed.signatures[0]!;
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!);
  const malleated = signature.slice();
  for (let i = 0; i < 32; i++) malleated[32 + i] = Number(((s + order) >> BigInt(8 * i)) & 255n);
  const key = Uint8Array.from(Buffer.from(maker.entry[1], "base64url"));
  t.true(crypto.ed25519Verify(key, input, signature));
  t.false(crypto.ed25519Verify(key, input, malleated));
});

test("a key of small order, or not canonical, verifies nothing", (t) => {
  // With the neutral point as key and as R, and S = 0, the equation holds for every message.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const signature = Uint8Array.of(...neutral, ...new Uint8Array(32));
  t.false(crypto.ed25519Verify(neutral, bytes("anything"), signature));
  const signBit = neutral.slice();
  signBit[31] = 0x80;
  t.false(crypto.ed25519Verify(signBit, bytes("anything"), signature));
  const plusP = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f); // 1 + p
  t.false(crypto.ed25519Verify(plusP, bytes("anything"), signature));
});

test("Ed25519 agrees with tweetnacl on random messages", (t) => {
  const random = seededRandom(6);
  for (let i = 0; i < 20; i++) {
    const pair = nacl.sign.keyPair();
    const message = random.bytes(random.below(200));
    const signature = nacl.sign.detached(message, pair.secretKey);
    t.true(crypto.ed25519Verify(pair.publicKey, message, signature));
    signature[random.below(64)]! ^= 1 << random.below(8);
    t.false(crypto.ed25519Verify(pair.publicKey, message, signature), `seed ${random.seed}`);
  }
});

function hs256(): string {
  const secret = maker.publicKey.export({ format: "der", type: "spki" });
  const input = `${b64('{"alg":"HS256","kid":"maker-1","typ":"broome-manifest"}')}.${b64(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

const good = line(header, payload);
for (const [what, file] of [
  ["alg none", `${b64('{"alg":"none"}')}.${b64(payload)}.`],
  ["alg none with a good signature", line(header.replace("EdDSA", "none"), payload)],
  ["HS256 with the public key as secret", hs256()],
  ["another typ", line(header.replace("broome-manifest", "JWT"), payload)],
  ["no typ", line('{"alg":"EdDSA","kid":"maker-1"}', payload)],
  ["crit", line(header.replace("}", ',"crit":["b64"],"b64":false}'), payload)],
  ["a member more", line(header.replace("}", ',"jwk":{}}'), payload)],
  ["kid twice", line(header.replace("{", '{"kid":"stranger",'), payload)],
  ["white space in the header", line(header.replace(":", ": "), payload)],
  ["a kid that is a path", line(header.replace("maker-1", "../maker-1"), payload)],
  ["no payload", `${b64(header)}..${b64(maker.sign(bytes(`${b64(header)}.`)))}`],
  ["no signature", good.slice(0, good.lastIndexOf(".") + 1)],
  ["a signature of 63 bytes", good.slice(0, -2)],
  ["padding", `${good}==`],
  ["a newline at the end", `${good}\n`],
  ["a second line that is no JWS", `${good}\nx`],
  ["a second line with its own payload", `${good}\n${good}`],
  ["three lines", `${text(signed(manifest, maker, next))}\n${b64(header)}..${"A".repeat(86)}`],
  ["four parts", `${good}.AAAA`],
  ["JSON serialization", JSON.stringify({ payload: b64(payload), signatures: [] })],
  ["nothing", ""],
  ["1,501 bytes", good + "A".repeat(1501 - good.length)],
  ["a payload with white space", line(header, payload.replace(":", ": "))],
  ["a payload with a member more", line(header, payload.replace("{", '{"x":1,'))],
  ["a payload with a member twice", line(header, payload.replace("{", '{"f":1,'))],
  ["a payload in another order", line(header, JSON.stringify({ ...manifest, f: undefined, z: 1 }))],
  ["a payload with __proto__", line(header, payload.replace("{", '{"__proto__":{},'))],
  ["a payload nested 1,000 deep", line(header, "[".repeat(800))],
  ["a payload with a number in another spelling", line(header, payload.replace("300000", "3e5"))],
] as [string, string][])
  test(`refused: ${what}`, (t) => {
    const codes = /^(manifest-malformed|field-invalid|base64url-invalid|json-invalid|json-too-deep)$/;
    t.regex(t.throws<Error & { code: string }>(() => parseManifest(bytes(file))).code, codes);
  });

for (const [what, change] of [
  ["another format", { f: 2 }],
  ["another chunk size", { chunk: 8192 }],
  ["no size", { size: 0 }],
  ["size 2^32", { size: 2 ** 32 }],
  ["size 1.5", { size: 1.5 }],
  ["a version that is none", { version: "1.0" }],
  ["a min that is none", { min: "" }],
  ["a digest in capitals", { sha256: manifest.sha256.toUpperCase() }],
  ["a list of 63 digits", { list: manifest.list.slice(1) }],
  ["a block of two", { block: [1, 2] }],
  ["no keys", { keys: [] }],
  ["five keys", { keys: Array.from({ length: 5 }, () => maker.entry) }],
  ["a key of 31 bytes", { keys: [["k", "A".repeat(42)]] }],
  ["a key that is not canonical", { keys: [["k", "A".repeat(42) + "B"]] }],
  ["a chip that is a path", { chip: "../esp" }],
] as [string, object][])
  test(`refused in the payload: ${what}`, (t) => {
    const file = bytes(line(header, JSON.stringify({ ...manifest, ...change })));
    const codes = /^(field-invalid|base64url-invalid)$/;
    t.regex(t.throws<Error & { code: string }>(() => parseManifest(file)).code, codes);
    t.throws(() => encodePayload({ ...manifest, ...change } as Manifest), undefined, "nor is it ever signed");
  });

test("a manifest above 1,500 bytes is not made", (t) => {
  const keys = Array.from({ length: 4 }, (_, i): UpdateKey => [`${i}`.repeat(32), maker.entry[1]]);
  const version = `1.0.1-${"a".repeat(25)}`;
  const value = {
    ...manifest,
    product: "\u0001".repeat(32),
    layout: "l".repeat(32),
    version,
    min: version,
    keys,
  };
  t.throws(() => signed(value, maker, next), { code: "manifest-malformed" });
});

test("the chunk list names every chunk, and only in its place", (t) => {
  const image = seededRandom(7).bytes(3 * 4096 + 100);
  const list = buildChunkList(image, crypto.createSha256);
  t.is(list.length, 4 * 16);
  t.is(chunkCount(image.length), 4);
  t.is(chunkCount(4096), 1);
  t.is(chunkCount(4097), 2);
  for (let i = 0; i < 4; i++) {
    const chunk = image.subarray(i * 4096, (i + 1) * 4096);
    t.deepEqual(
      list.slice(i * 16, i * 16 + 16),
      new Uint8Array(createHash("sha256").update(chunk).digest().subarray(0, 16)),
    );
    for (let j = 0; j < 4; j++) t.is(isChunk(crypto, list.subarray(j * 16, j * 16 + 16), chunk), i === j);
    const flipped = chunk.slice();
    flipped[i]! ^= 1;
    t.false(isChunk(crypto, list.subarray(i * 16, i * 16 + 16), flipped));
  }
  t.false(isChunk(crypto, list.subarray(0, 15), image.subarray(0, 4096)));
});
