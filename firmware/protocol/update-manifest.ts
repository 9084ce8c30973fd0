// The signed description of an image (PROTOCOL section 3): JWS compact (RFC 7515 section 3.1) with EdDSA (RFC 8037), and its chunk list.

import { FormatError } from "../format/error.js";
import type { Hash } from "../format/hash.js";
import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import { decodeBase64url, decodedLength, decodeInto, encodeBase64url } from "./base64url.js";
import type { Crypto } from "./crypto.js";
import { equalBytes } from "./equal.js";
import { isName, list, nameText, refuse, text, u32 } from "./field.js";
import { isHexDigest } from "./hex.js";
import { parseJson } from "./json-depth.js";
import { isVersion } from "./semver.js";

/** Longest manifest file, in bytes, both lines. */
export const MAX_MANIFEST = 1500;
/** Bytes of an image in one chunk: one flash sector. */
export const CHUNK_SIZE = 4096;
/** Bytes of the list per chunk. */
export const CHUNK_DIGEST = 16;
/** The format's number. */
export const FORMAT = 1;

const HEADER = '{"alg":"EdDSA","kid":"';
const END = '","typ":"broome-manifest"}';
export const MAX_KID = 32;
const MAX_KEYS = 4;
const DOT = 0x2e;
const NEWLINE = 0x0a;
const HELP = "Publish the release again with `broome release publish`.";

/** A key that updates are trusted by: its id, and its Ed25519 public key as 43 characters of base64url. */
export type UpdateKey = readonly [kid: string, publicKey: string];

export interface Manifest {
  f: number; // FORMAT
  product: string;
  chip: string; // "esp32c3"
  layout: string; // name of the partition layout
  version: string; // semver
  sc: number; // security counter
  min: string; // lowest running version that may take it
  size: number; // bytes of the canonical image
  sha256: string; // of the canonical image: it lies at /fw/<sha256>.bin
  chunk: number; // CHUNK_SIZE
  list: string; // SHA-256 of the list file: it lies at /fw/<list>.list
  block: [offset: number, capacity: number, version: number]; // defaults block
  keys: UpdateKey[]; // what the image will trust after it is installed
}

/** A manifest file taken apart; no signature is checked yet. */
export interface SignedManifest {
  manifest: Manifest;
  signatures: Signature[]; // one or two
}

interface Signature {
  kid: string;
  input: Uint8Array; // what was signed
  signature: Uint8Array; // 64 bytes
}

/** Host: the payload's text, members in the one order that `parseManifest` takes. Throws as `parseManifest`. */
export function encodePayload(manifest: Manifest): Uint8Array {
  const payload = encodeUtf8(JSON.stringify(checkManifest(manifest, manifest.keys)));
  decodePayload(payload);
  return payload;
}

/** Host: what key `kid` has to sign (RFC 7515 section 5.1): base64url(header) "." base64url(payload). */
export function signingInput(kid: string, payload: Uint8Array): Uint8Array {
  return encodeUtf8(`${headerText(kid)}.${encodeBase64url(payload)}`);
}

/**
 * Host: the file. `first` is by a key that the running images trust; `second`, where keys change, by one of the manifest's
 * own `keys`: a second line with the payload left out (RFC 7515 appendix F). Throws `manifest-malformed` above MAX_MANIFEST.
 */
export function assembleManifest(
  payload: Uint8Array,
  first: { kid: string; signature: Uint8Array },
  second?: { kid: string; signature: Uint8Array },
): Uint8Array {
  const line = `${headerText(first.kid)}.${encodeBase64url(payload)}.${encodeBase64url(first.signature)}`;
  const rest = second ? `\n${headerText(second.kid)}..${encodeBase64url(second.signature)}` : "";
  const file = encodeUtf8(line + rest);
  if (file.length > MAX_MANIFEST) throw malformed(`${file.length} bytes, at most ${MAX_MANIFEST}`);
  return file;
}

/**
 * The file taken apart, exact in every byte: the header's one text, canonical base64url, a payload in the one order and
 * spelling of `encodePayload`. Throws `manifest-malformed`, `field-invalid`, `base64url-invalid`, `json-...`.
 */
export function parseManifest(file: Uint8Array): SignedManifest {
  if (file.length > MAX_MANIFEST) throw malformed(`${file.length} bytes, at most ${MAX_MANIFEST}`);
  const newline = file.indexOf(NEWLINE);
  const first = newline < 0 ? file : file.subarray(0, newline);
  const dots = dotsOf(first);
  const manifest = decodePayload(decode(first, dots[0] + 1, dots[1]));
  const kid = kidOf(first, dots[0]);
  const signature = signatureOf(first, dots[1]);
  const signatures = [{ kid, input: first.subarray(0, dots[1]), signature }];
  if (newline >= 0) {
    const payload = first.subarray(dots[0], dots[1]); // with its dot
    signatures.push(secondSignature(file.subarray(newline + 1), payload));
  }
  return { manifest, signatures };
}

/** A line whose payload is left out: what was signed is its header and the first line's payload. */
function secondSignature(line: Uint8Array, payload: Uint8Array): Signature {
  const dots = dotsOf(line);
  if (dots[1] !== dots[0] + 1) throw malformed("the second line has a payload of its own");
  const input = new Uint8Array(dots[0] + payload.length);
  input.set(line.subarray(0, dots[0]));
  input.set(payload, dots[0]);
  const kid = kidOf(line, dots[0]);
  return { kid, input, signature: signatureOf(line, dots[1]) };
}

/** Steps one after the other rather than nested: the device's stack has 256 slots. */
function decodePayload(payload: Uint8Array): Manifest {
  const parsed = parseJson(payload);
  const keys = updateKeys(parsed.keys);
  for (let i = 0; i < keys.length; i++) decodeBase64url(keys[i]![1], 32);
  const manifest = checkManifest(parsed, keys);
  if (!equalBytes(encodeUtf8(JSON.stringify(manifest)), payload))
    throw malformed("the payload is not in the one order and spelling");
  return manifest;
}

/**
 * True where signature `index` is good under the key of `keys` with its kid. Undefined where no key has that kid: the caller
 * tells an unknown key from a wrong signature.
 */
export function verifySignature(
  crypto: Crypto,
  signed: SignedManifest,
  index: number,
  keys: readonly UpdateKey[],
): boolean | undefined {
  const by = signed.signatures[index];
  const key = by && keys.find(([kid]) => kid === by.kid);
  if (!key) return undefined;
  return crypto.ed25519Verify(decodeBase64url(key[1], 32), by.input, by.signature);
}

/** Chunks of an image of `size` bytes; the last may be shorter. */
export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

/** One entry of the list: SHA-256(chunk)[0..16). */
export function chunkDigest(crypto: Crypto, chunk: Uint8Array): Uint8Array {
  return crypto.sha256(chunk).slice(0, CHUNK_DIGEST);
}

/** Host: the list file of an image. `sha256` starts a hash. */
export function buildChunkList(image: Uint8Array, sha256: () => Hash): Uint8Array {
  const entries = new Uint8Array(chunkCount(image.length) * CHUNK_DIGEST);
  for (let i = 0; i * CHUNK_SIZE < image.length; i++) {
    const hash = sha256();
    hash.update(image.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE));
    entries.set(hash.digest().subarray(0, CHUNK_DIGEST), i * CHUNK_DIGEST);
  }
  return entries;
}

/** Device: whether `chunk` is the one that `entry`, 16 bytes of the list, names. */
export function isChunk(crypto: Crypto, entry: Uint8Array, chunk: Uint8Array): boolean {
  return equalBytes(chunkDigest(crypto, chunk), entry);
}

/** The members in their order, each checked; others are left out. */
function checkManifest(o: { [name in keyof Manifest]?: unknown }, keys: UpdateKey[]): Manifest {
  if (o.f !== FORMAT) refuse("f", `expected ${FORMAT}`);
  if (o.chunk !== CHUNK_SIZE) refuse("chunk", `expected ${CHUNK_SIZE}`);
  if (!isVersion(o.version)) refuse("version", "expected a semantic version of at most 31 characters");
  if (!isVersion(o.min)) refuse("min", "expected a semantic version of at most 31 characters");
  if (!isHexDigest(o.sha256)) refuse("sha256", "expected a SHA-256 as 64 lower-case hex digits");
  if (!isHexDigest(o.list)) refuse("list", "expected a SHA-256 as 64 lower-case hex digits");
  if (u32("size", o.size) === 0) refuse("size", "expected more than 0");
  const block = list("block", o.block, 3, 3);
  for (let i = 0; i < 3; i++) u32("block", block[i]);
  const { version, min, sha256, list: listDigest } = o;
  return {
    f: FORMAT,
    product: text("product", o.product, 32),
    chip: nameText("chip", o.chip, 16),
    layout: nameText("layout", o.layout, 32),
    version,
    sc: u32("sc", o.sc),
    min,
    size: o.size as number,
    sha256,
    chunk: CHUNK_SIZE,
    list: listDigest,
    block: block as [number, number, number],
    keys,
  };
}

function updateKeys(value: unknown): UpdateKey[] {
  const values = list("keys", value, 1, MAX_KEYS);
  const keys: UpdateKey[] = [];
  for (let i = 0; i < values.length; i++) {
    const pair = list("keys", values[i], 2, 2);
    const kid = nameText("keys", pair[0], MAX_KID);
    const key = nameText("keys", pair[1], 43);
    keys.push([kid, key]);
  }
  return keys;
}

function headerText(kid: string): string {
  return encodeBase64url(encodeUtf8(HEADER + nameText("kid", kid, MAX_KID) + END));
}

/** The only two dots of a line. */
function dotsOf(line: Uint8Array): [number, number] {
  const first = line.indexOf(DOT);
  const second = first < 0 ? -1 : line.indexOf(DOT, first + 1);
  if (second < 0 || line.indexOf(DOT, second + 1) >= 0) throw malformed("a line has not three parts");
  return [first, second];
}

/** The header's bytes are compared with the one text they may be, as in a sealed message. */
function kidOf(line: Uint8Array, end: number): string {
  if (end > 200) throw malformed("the header is too long");
  const header = decodeUtf8(decode(line, 0, end));
  const kid = header.slice(HEADER.length, -END.length);
  if (!header.startsWith(HEADER) || !header.endsWith(END) || !isName(kid, MAX_KID))
    throw malformed("another header");
  return kid;
}

function signatureOf(line: Uint8Array, dot: number): Uint8Array {
  const signature = decode(line, dot + 1, line.length);
  if (signature.length !== 64) throw malformed(`a signature of ${signature.length} bytes`);
  return signature;
}

function decode(line: Uint8Array, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, decodedLength(end - start)));
  decodeInto(bytes, 0, line, start, end);
  return bytes;
}

function malformed(what: string): FormatError {
  return new FormatError("manifest-malformed", `not an update manifest: ${what}`, HELP);
}
