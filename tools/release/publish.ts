// A release out of a finished image: checked, described, signed; three files that any web server could hand out.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { canonical, imageFacts } from "../../firmware/format/canonical.js";
import type { Hash } from "../../firmware/format/hash.js";
import { equalBytes } from "../../firmware/protocol/equal.js";
import {
  assembleManifest,
  buildChunkList,
  CHUNK_SIZE,
  encodePayload,
  FORMAT,
  signingInput,
  type Manifest,
  type UpdateKey,
} from "../../firmware/protocol/update-manifest.js";
import { BroomeError } from "../error.js";
import { sdkTarget } from "../sdk/target.js";
import type { UpdateKeyInfo } from "./keys.js";

/** What is known of an image besides its bytes: the build's `mc/config`. */
export interface BuildFacts {
  product: string;
  chip: string;
  layout: string;
  updateKeys: readonly UpdateKey[];
}

export interface SignedRelease {
  manifest: Manifest;
  image: Uint8Array;
  list: Uint8Array;
  /** The manifest file. */
  file: Uint8Array;
}

function sha256(): Hash {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

function hexDigest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An image and its build.json from a build's folder, or from an image file that lies in one. */
export function readBuild(path: string): { image: Uint8Array; facts: BuildFacts } {
  if (!existsSync(path))
    throw new BroomeError(
      "image-truncated",
      `there is no ${path}`,
      "Give the folder that `broome build` wrote, or its app.bin.",
    );
  const imageFile = statSync(path).isDirectory() ? join(path, "app.bin") : path;
  const factsFile = join(dirname(imageFile), "build.json");
  if (!existsSync(imageFile) || !existsSync(factsFile))
    throw new BroomeError(
      "build-unknown",
      `${existsSync(imageFile) ? factsFile : imageFile} is missing`,
      "Publish from the folder that `broome build` wrote: build.json says product, chip, layout and trusted keys.",
    );
  const { config, sdk } = JSON.parse(readFileSync(factsFile, "utf8")) as { config: BuildFacts; sdk?: string };
  if (sdk !== undefined && !sdkTarget(config.chip).ota)
    throw new BroomeError(
      "ota-not-supported",
      `Moddable SDK ${sdk} has no update scheme for ${config.chip}: no device could take this release`,
      "Flash the boards over USB, or build for esp32 or esp32c3.",
    );
  const { product, chip, layout, updateKeys } = config;
  return { image: new Uint8Array(readFileSync(imageFile)), facts: { product, chip, layout, updateKeys } };
}

/** The image as it is released. Throws `image-personalised` unless `blank`; what `canonical` throws. */
function releasable(image: Uint8Array, blank: boolean): Uint8Array {
  const released = canonical(image, sha256);
  if (blank || equalBytes(released, image)) return released;
  throw new BroomeError(
    "image-personalised",
    "the image holds somebody's values: everyone who takes the update would get them",
    "Publish the image as `broome build` made it, or give --blank to release it without them.",
  );
}

/**
 * The key to sign with: the one named, else the only one here whose public half the image trusts. Throws `key-unknown`.
 */
export function chooseKey(
  keys: readonly UpdateKeyInfo[],
  facts: BuildFacts,
  kid: string | undefined,
): UpdateKeyInfo {
  const own = keys.filter(({ privateFile }) => privateFile !== undefined);
  if (kid !== undefined) {
    const named = own.find((key) => key.kid === kid);
    if (named) return named;
    throw new BroomeError("key-unknown", `no private key ${kid} here`, "See: broome keys list");
  }
  const trusted = own.filter(({ key }) => facts.updateKeys.some(([, publicKey]) => publicKey === key));
  if (trusted.length === 1) return trusted[0]!;
  throw new BroomeError(
    "key-unknown",
    trusted.length > 1
      ? `${trusted.length} keys here are trusted by the image: ${trusted.map((key) => key.kid).join(", ")}`
      : `none of the ${own.length} private keys here is trusted by the image (it trusts: ${facts.updateKeys.map(([id]) => id).join(", ") || "none"})`,
    trusted.length > 1
      ? "Choose one with --key KID."
      : "Make keys with `broome keys init` and build again, or name one with --key KID.",
  );
}

/**
 * Describes and signs an image. `sign` is by key `kid`. Throws BroomeError `image-personalised`, `key-unknown` (an image
 * that trusts no key could never be updated again), FormatError as `canonical`, `imageFacts` and `encodePayload`.
 */
export function signRelease(
  image: Uint8Array,
  facts: BuildFacts,
  options: { kid: string; sign: (input: Uint8Array) => Uint8Array; min?: string; blank?: boolean },
): SignedRelease {
  const released = releasable(image, options.blank ?? false);
  if (facts.updateKeys.length === 0)
    throw new BroomeError(
      "key-unknown",
      "the image trusts no update key: after it, no update could follow",
      "Make keys with `broome keys init` and build again.",
    );
  const list = buildChunkList(released, sha256);
  const { product, chip, layout } = facts;
  const manifest: Manifest = {
    ...{ f: FORMAT, product, chip, layout, min: options.min ?? "0.0.0" },
    ...{ size: released.length, sha256: hexDigest(released), chunk: CHUNK_SIZE, list: hexDigest(list) },
    ...imageFacts(released),
    keys: facts.updateKeys.map(([kid, key]) => [kid, key]),
  };
  const payload = encodePayload(manifest);
  const signature = options.sign(signingInput(options.kid, payload));
  return {
    manifest,
    image: released,
    list,
    file: assembleManifest(payload, { kid: options.kid, signature }),
  };
}
