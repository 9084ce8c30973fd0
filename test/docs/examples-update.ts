// Examples of SPEC.md: an update's manifest and chunk list, and the files of the maker's keys.

import { deepEqual, equal } from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactVerify } from "jose";
import { crypto } from "../../host/crypto.js";
import { checkUpdate } from "../../firmware/protocol/update-checks.js";
import {
  assembleManifest,
  buildChunkList,
  encodePayload,
  isChunk,
  parseManifest,
  signingInput,
  type Manifest,
  type UpdateKey,
} from "../../firmware/protocol/update-manifest.js";
import { readUpdateKey } from "../../tools/build/update-keys.js";
import { listKeys, signWith } from "../../tools/release/keys.js";
import type { Examples } from "./example.js";
import { counting, text, UPDATE_KID, UPDATE_PUBLIC, UPDATE_SECRET, utf8 } from "./fixed.js";
import { dump, folded, undump, unfolded } from "./spec-file.js";

/** Stands for an image: the list does not care. Two chunks, the second of 256 bytes. */
const image = Uint8Array.from({ length: 4096 + 256 }, (_, i) => (i * 7) & 0xff);
const list = buildChunkList(image, () => crypto.createSha256());
const hexDigest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const key: UpdateKey = [UPDATE_KID, UPDATE_PUBLIC];
const manifest: Manifest = {
  ...{ f: 1, product: "broome-example", chip: "esp32c3", layout: "4mb-2slot", version: "1.0.1", sc: 0 },
  ...{ min: "0.0.0", size: image.length, sha256: hexDigest(image), chunk: 4096, list: hexDigest(list) },
  block: [3072, 996, 1],
  keys: [key],
};
const secretKey = createPrivateKey({ key: UPDATE_SECRET, format: "der", type: "pkcs8" });

function manifestFile(): Uint8Array {
  const payload = encodePayload(manifest);
  const signature = new Uint8Array(sign(null, signingInput(UPDATE_KID, payload), secretKey));
  return assembleManifest(payload, { kid: UPDATE_KID, signature });
}

function device(file: Uint8Array): Parameters<typeof checkUpdate>[2] {
  return {
    offer: { v: "1.0.1", m: hexDigest(file) },
    ...{ product: "broome-example", chip: "esp32c3", layout: "4mb-2slot", version: "1.0.0" },
    ...{ sc: 0, minimumSc: 0, slotSize: 0x1e0000, keys: [key], failed: () => false },
  };
}

/** Runs `use` on a folder of these files. */
async function withFolder(files: Record<string, string>, use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "broome-spec-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const publicFile = () => JSON.stringify({ kid: UPDATE_KID, key: UPDATE_PUBLIC, demo: true }, null, 2);

export const updateExamples: Examples = {
  "manifest-payload": {
    make: () => folded(text(encodePayload(manifest))),
    check: (shown) => deepEqual(JSON.parse(unfolded(shown)), manifest),
  },
  manifest: {
    make: () => folded(text(manifestFile())),
    async check(shown) {
      const file = utf8(unfolded(shown));
      deepEqual(parseManifest(file).manifest, manifest);
      deepEqual(checkUpdate(crypto, file, device(file)).manifest, manifest);
      const { payload, protectedHeader } = await compactVerify(file, createPublicKey(secretKey));
      deepEqual(JSON.parse(text(payload)), manifest);
      deepEqual(protectedHeader, { alg: "EdDSA", kid: UPDATE_KID, typ: "broome-manifest" });
    },
  },
  "chunk-list": {
    make: () =>
      dump(list, [
        [16, "SHA-256 of chunk 0, its first 16 bytes"],
        [16, "of chunk 1, which has 256 bytes"],
      ]),
    check(shown) {
      const entries = undump(shown);
      equal(isChunk(crypto, entries.subarray(0, 16), image.subarray(0, 4096)), true);
      equal(isChunk(crypto, entries.subarray(16), image.subarray(4096)), true);
      equal(isChunk(crypto, entries.subarray(16), counting(0, 256)), false);
    },
  },
  "update-key-public": {
    make: publicFile,
    check: (shown) =>
      withFolder({ [`${UPDATE_KID}.pub.json`]: shown }, (folder) => {
        deepEqual(readUpdateKey(join(folder, `${UPDATE_KID}.pub.json`)), key);
        equal(listKeys(folder)[0]?.kid, UPDATE_KID);
      }),
  },
  "update-key-demo": {
    make: () =>
      JSON.stringify({ kid: UPDATE_KID, demo: true, secret: UPDATE_SECRET.toString("base64url") }, null, 2),
    check: (shown) =>
      withFolder(
        { [`${UPDATE_KID}.pub.json`]: publicFile(), [`${UPDATE_KID}.key`]: shown },
        async (folder) => {
          const signer = await signWith(listKeys(folder)[0]!, () =>
            Promise.reject(new Error("no passphrase")),
          );
          const message = utf8("anything");
          deepEqual(signer(message), new Uint8Array(sign(null, message, secretKey)));
        },
      ),
  },
};
