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
const MAX_KID = 32;
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
  signatures: { kid: string; input: Uint8Array; signature: Uint8Array }[]; // one or two
}

/** Host: the payload's text, members in the one order that `parseManifest` takes. Throws as `parseManifest`. */
export function encodePayload(manifest: Manifest): Uint8Array {
  return encodeUtf8(JSON.stringify(checkManifest({ ...manifest })));
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
  const [dot, dot2] = dotsOf(first);
  if (dot2 === dot + 1) throw malformed("the first line has no payload");
  const payload = decode(first, dot + 1, dot2);
  const manifest = checkManifest(parseJson(payload));
  if (!equalBytes(encodeUtf8(JSON.stringify(manifest)), payload))
    throw malformed("the payload is not in the one order and spelling");
  const signatures = [
    { kid: kidOf(first, dot), input: first.subarray(0, dot2), signature: signatureOf(first, dot2) },
  ];
  if (newline >= 0) {
    const second = file.subarray(newline + 1);
    const [at, at2] = dotsOf(second);
    if (at2 !== at + 1) throw malformed("the second line has a payload of its own");
    const input = new Uint8Array(at + (dot2 - dot));
    input.set(second.subarray(0, at));
    input.set(first.subarray(dot, dot2), at);
    signatures.push({ kid: kidOf(second, at), input, signature: signatureOf(second, at2) });
  }
  return { manifest, signatures };
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
function checkManifest(o: { [name in keyof Manifest]?: unknown }): Manifest {
  if (o.f !== FORMAT) refuse("f", `expected ${FORMAT}`);
  if (o.chunk !== CHUNK_SIZE) refuse("chunk", `expected ${CHUNK_SIZE}`);
  const block = list("block", o.block, 3, 3);
  const size = u32("size", o.size);
  if (size === 0) refuse("size", "expected more than 0");
  return {
    f: FORMAT,
    product: text("product", o.product, 32),
    chip: nameText("chip", o.chip, 16),
    layout: nameText("layout", o.layout, 32),
    version: version("version", o.version),
    sc: u32("sc", o.sc),
    min: version("min", o.min),
    size,
    sha256: digest("sha256", o.sha256),
    chunk: CHUNK_SIZE,
    list: digest("list", o.list),
    block: [u32("block", block[0]), u32("block", block[1]), u32("block", block[2])],
    keys: list("keys", o.keys, 1, MAX_KEYS).map(updateKey),
  };
}

function updateKey(value: unknown): UpdateKey {
  const [kid, publicKey] = list("keys", value, 2, 2);
  const key = text("keys", publicKey, 43);
  decodeBase64url(key, 32);
  return [nameText("keys", kid, MAX_KID), key];
}

function version(name: string, value: unknown): string {
  if (!isVersion(value)) refuse(name, "expected a semantic version of at most 31 characters");
  return value;
}

function digest(name: string, value: unknown): string {
  if (!isHexDigest(value)) refuse(name, "expected a SHA-256 as 64 lower-case hex digits");
  return value;
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
