import test from "ava";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { checkUpdate, slotBytes } from "../../../firmware/protocol/update-checks.js";
import type { UpdateContext, UpdateRefusal } from "../../../firmware/protocol/update-checks.js";
import { assembleManifest, encodePayload, signingInput } from "../../../firmware/protocol/update-manifest.js";
import type { Manifest, UpdateKey } from "../../../firmware/protocol/update-manifest.js";
import { crypto } from "../../../host/crypto.js";

function makerKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const entry: UpdateKey = [kid, publicKey.export({ format: "jwk" }).x!];
  return { kid, entry, sign: (input: Uint8Array) => new Uint8Array(sign(null, input, privateKey)) };
}

const maker = makerKey("maker-1");
const next = makerKey("maker-2");
const image = "0123456789abcdef".repeat(4);
const manifest: Manifest = {
  f: 1,
  product: "demo",
  chip: "esp32c3",
  layout: "broome-4mb",
  version: "1.0.1",
  sc: 3,
  min: "1.0.0",
  size: 300_000,
  sha256: image,
  chunk: 4096,
  list: "fedcba9876543210".repeat(4),
  block: [65_536, 1024, 1],
  keys: [maker.entry],
};

function signed(value: Manifest, by = maker, second?: typeof maker): Uint8Array {
  const payload = encodePayload(value);
  const part = (key: typeof maker) => ({ kid: key.kid, signature: key.sign(signingInput(key.kid, payload)) });
  return assembleManifest(payload, part(by), second && part(second));
}

interface Case {
  manifest?: Partial<Manifest>;
  context?: Partial<UpdateContext>;
  offer?: Partial<UpdateContext["offer"]>;
  by?: typeof maker;
  second?: typeof maker;
  file?: (file: Uint8Array) => Uint8Array; // changed before the offer names its digest
}

function decide(c: Case): UpdateRefusal | undefined {
  const made = signed({ ...manifest, ...c.manifest }, c.by, c.second);
  const file = c.file ? c.file(made) : made;
  const m = createHash("sha256").update(file).digest("hex");
  const context: UpdateContext = {
    offer: { v: "1.0.1", m, ...c.offer },
    product: "demo",
    chip: "esp32c3",
    layout: "broome-4mb",
    version: "1.0.0",
    sc: 3,
    minimumSc: 3,
    slotSize: 0x1e0000,
    keys: [maker.entry],
    failed: () => false,
    ...c.context,
  };
  const result = checkUpdate(crypto, file, context);
  if (!result.refusal) t0(result.manifest.version === (c.manifest?.version ?? "1.0.1"));
  return result.refusal;
}

function t0(good: boolean): void {
  if (!good) throw new Error("another manifest came back");
}

const cut = 0x1e0000;
const cases: [string, Case, UpdateRefusal | undefined][] = [
  ["a newer version, signed", {}, undefined],
  ["a digest other than the offer's", { offer: { m: "0".repeat(64) } }, "digest-mismatch"],
  [
    "a file that is no manifest",
    { file: () => Uint8Array.from(Buffer.from("<html>")) },
    "manifest-malformed",
  ],
  ["a key that the running image does not know", { by: next }, "key-unknown"],
  ["no keys in the running image: updates are off", { context: { keys: [] } }, "key-unknown"],
  ["a known kid over another key", { by: { ...next, kid: "maker-1" } }, "signature-invalid"],
  ["another product", { manifest: { product: "other" } }, "wrong-product"],
  ["another chip", { manifest: { chip: "esp32" } }, "wrong-chip"],
  ["another layout", { manifest: { layout: "broome-8mb" } }, "wrong-layout"],
  [
    "a security counter below the running image's",
    { manifest: { sc: 2 }, context: { minimumSc: 0 } },
    "security-counter",
  ],
  [
    "a security counter below the stored minimum",
    { manifest: { sc: 3 }, context: { minimumSc: 4 } },
    "security-counter",
  ],
  [
    "a lower security counter with the store erased",
    { manifest: { sc: 2 }, context: { minimumSc: 0, sc: 3 } },
    "security-counter",
  ],
  [
    "down does not lift the security counter",
    { manifest: { sc: 2 }, offer: { down: true } },
    "security-counter",
  ],
  ["the same version", { manifest: { version: "1.0.0" } }, "not-newer"],
  ["a lower version", { manifest: { version: "0.9.0", min: "0.9.0" } }, "not-newer"],
  ["a pre-release of the running version", { manifest: { version: "1.0.0-rc.1" } }, "not-newer"],
  [
    "a lower version where the offer says down",
    { manifest: { version: "0.9.0" }, offer: { down: true } },
    undefined,
  ],
  ["a running version below min", { manifest: { min: "1.0.1" } }, "running-too-old"],
  ["a slot that it fills exactly", { manifest: { size: cut - 8192 }, context: { slotSize: cut } }, undefined],
  [
    "a byte more than the slot takes",
    { manifest: { size: cut - 8191 }, context: { slotSize: cut } },
    "too-big",
  ],
  ["keys that nobody is trusted by", { manifest: { keys: [next.entry] } }, "keys-lost"],
  [
    "new keys, and the second line by one of them",
    { manifest: { keys: [next.entry] }, second: next },
    undefined,
  ],
  [
    "new keys, and the second line by the old one",
    { manifest: { keys: [next.entry] }, second: maker },
    "keys-lost",
  ],
  [
    "new keys, and the second line by another under the same name",
    { manifest: { keys: [next.entry] }, second: { ...maker, kid: "maker-2" } },
    "keys-lost",
  ],
  ["a trusted key under another name", { manifest: { keys: [["renamed", maker.entry[1]]] } }, undefined],
  ["an image remembered as failed", { context: { failed: (hash) => hash === image } }, "failed-before"],
  ["another image than the one remembered", { context: { failed: (hash) => hash !== image } }, undefined],
  [
    "a failed image that a person asked for again",
    { context: { failed: () => true }, offer: { again: true } },
    undefined,
  ],
];

for (const [what, c, expected] of cases)
  test(`${expected ?? "taken"}: ${what}`, (t) => {
    t.is(decide(c), expected);
  });

test("the first reason in the order of the specification is the one that is told", (t) => {
  const wrongs: [Case, UpdateRefusal][] = [
    [{ manifest: { product: "other" } }, "wrong-product"],
    [{ manifest: { chip: "esp32" } }, "wrong-chip"],
    [{ manifest: { layout: "other" } }, "wrong-layout"],
    [{ manifest: { sc: 0 } }, "security-counter"],
    [{ manifest: { version: "1.0.0" } }, "not-newer"],
    [{ manifest: { min: "2.0.0" } }, "running-too-old"],
    [{ manifest: { size: 0x200000 } }, "too-big"],
    [{ manifest: { keys: [next.entry] } }, "keys-lost"],
    [{ context: { failed: () => true } }, "failed-before"],
  ];
  for (let i = 0; i < wrongs.length; i++) {
    const rest = wrongs.slice(i).map(([c]) => c);
    const all: Case = {
      manifest: Object.assign({}, ...rest.map((c) => c.manifest)),
      context: Object.assign({}, ...rest.map((c) => c.context)),
    };
    t.is(decide(all), wrongs[i]![1]);
  }
});

test("image and list are counted in whole sectors", (t) => {
  t.is(slotBytes(1), 8192);
  t.is(slotBytes(4096), 8192);
  t.is(slotBytes(4097), 12288);
  t.is(slotBytes(256 * 4096), 257 * 4096);
  t.is(slotBytes(257 * 4096), 259 * 4096);
});
