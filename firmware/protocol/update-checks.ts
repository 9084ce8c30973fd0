// Whether an offered image may be installed (PROTOCOL section 3): the checks in their order, before anything is erased.

import type { Crypto } from "./crypto.js";
import { encodeHex } from "./hex.js";
import { compareVersions } from "./semver.js";
import type { Offer } from "./sync-message.js";
import { CHUNK_DIGEST, CHUNK_SIZE, chunkCount, parseManifest, verifySignature } from "./update-manifest.js";
import type { Manifest, SignedManifest, UpdateKey } from "./update-manifest.js";

/** Why an update is not taken. In the order in which they are found. */
export type UpdateRefusal =
  | "digest-mismatch"
  | "manifest-malformed"
  | "key-unknown"
  | "signature-invalid"
  | "wrong-product"
  | "wrong-chip"
  | "wrong-layout"
  | "security-counter"
  | "not-newer"
  | "running-too-old"
  | "too-big"
  | "keys-lost"
  | "failed-before";

/** What the device knows when it decides. */
export interface UpdateContext {
  offer: Offer; // out of a bound reply
  product: string;
  chip: string;
  layout: string;
  version: string; // the running image's
  sc: number; // the running image's security counter
  minimumSc: number; // the store's; raised when a trial is confirmed
  slotSize: number; // bytes of the other slot
  keys: readonly UpdateKey[]; // compiled into the running image
  failed(sha256: string): boolean; // remembered as rolled back
}

/** The manifest, if every check holds; else the first that does not. Never throws for what `file` holds. */
export function checkUpdate(
  crypto: Crypto,
  file: Uint8Array,
  context: UpdateContext,
): { manifest: Manifest; refusal?: undefined } | { manifest?: undefined; refusal: UpdateRefusal } {
  if (encodeHex(crypto.sha256(file)) !== context.offer.m) return { refusal: "digest-mismatch" };
  let signed: SignedManifest;
  try {
    signed = parseManifest(file);
  } catch {
    return { refusal: "manifest-malformed" };
  }
  const good = verifySignature(crypto, signed, 0, context.keys);
  if (good === undefined) return { refusal: "key-unknown" };
  if (!good) return { refusal: "signature-invalid" };
  const refusal = judge(crypto, signed, context);
  return refusal === undefined ? { manifest: signed.manifest } : { refusal };
}

/** Bytes that image and list take in a slot: each in whole sectors. */
export function slotBytes(size: number): number {
  const listSize = chunkCount(size) * CHUNK_DIGEST;
  return (chunkCount(size) + Math.ceil(listSize / CHUNK_SIZE)) * CHUNK_SIZE;
}

function judge(crypto: Crypto, signed: SignedManifest, context: UpdateContext): UpdateRefusal | undefined {
  const m = signed.manifest;
  if (m.product !== context.product) return "wrong-product";
  if (m.chip !== context.chip) return "wrong-chip";
  if (m.layout !== context.layout) return "wrong-layout";
  if (m.sc < context.minimumSc || m.sc < context.sc) return "security-counter";
  if (!context.offer.down && compareVersions(m.version, context.version) <= 0) return "not-newer";
  if (compareVersions(context.version, m.min) < 0) return "running-too-old";
  if (slotBytes(m.size) > context.slotSize) return "too-big";
  if (!keepsKey(crypto, signed, context.keys)) return "keys-lost";
  if (!context.offer.again && context.failed(m.sha256)) return "failed-before";
  return undefined;
}

/** An image whose keys nobody holds would be the last one: so one is already trusted, or has signed as well. */
function keepsKey(crypto: Crypto, signed: SignedManifest, trusted: readonly UpdateKey[]): boolean {
  for (const [, key] of signed.manifest.keys) if (trusted.some(([, known]) => known === key)) return true;
  return verifySignature(crypto, signed, 1, signed.manifest.keys) === true;
}
