// Small images that are valid in every byte, and signed releases of them, without a build.

import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { blankDefaults } from "../../firmware/format/defaults-block.js";
import {
  assembleManifest,
  encodePayload,
  signingInput,
  type Manifest,
  type UpdateKey,
} from "../../firmware/protocol/update-manifest.js";
import { makeVirtualImage } from "../../tools/build/virtual-image.js";
import { signRelease, type SignedRelease } from "../../tools/release/publish.js";
import { generateKeyPairSync, sign } from "node:crypto";

const pair = generateKeyPairSync("ed25519");

/** The update key that the test images trust. */
export const updateKey: UpdateKey = ["test", pair.publicKey.export({ format: "jwk" }).x!];

export function signWithTestKey(input: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, input, pair.privateKey));
}

/** A virtual image of `size` bytes of archive and a blank block. */
export function testImage(version: string, size = 9000, securityCounter = 0): Uint8Array {
  const block = blankDefaults();
  const archive = new Uint8Array(size + block.length).map((_, i) => (i * 31 + version.length) & 255);
  archive.set(block, size - (size % 4));
  const identity = { version, securityCounter, framework: "test", builtAt: new Date(0) };
  return makeVirtualImage(esp32c3, archive, identity);
}

/** A release of `image` as `broome release publish` makes it. */
export function signTest(image: Uint8Array, options: { min?: string; product?: string } = {}): SignedRelease {
  const { product = "broome-example", min } = options;
  const facts = { product, chip: "esp32c3", layout: "4mb-2slot", updateKeys: [updateKey] };
  return signRelease(image, facts, { kid: "test", sign: signWithTestKey, ...(min && { min }) });
}

/** The same image under a manifest that says something else, signed by the test key under that name. */
export function signAgain(release: SignedRelease, change: Partial<Manifest>, kid = "test"): SignedRelease {
  const manifest = { ...release.manifest, ...change };
  const payload = encodePayload(manifest);
  const signature = signWithTestKey(signingInput(kid, payload));
  return { ...release, manifest, file: assembleManifest(payload, { kid, signature }) };
}

/** The body of POST /api/releases. */
export function uploadOf({ image, list, file }: SignedRelease) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return { image: base64(image), list: base64(list), manifest: Buffer.from(file).toString("latin1") };
}
