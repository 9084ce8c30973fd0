// Sealed messages: JWE compact (RFC 7516 section 3.1), "dir" with A128CBC-HS256 (RFC 7518 sections 4.5 and 5.2), one key a direction.

import { FormatError } from "../format/error.js";
import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import { BLOCK, decrypt, encrypt, paddedLength } from "./a128cbc-hs256.js";
import { decodeInto, encodeBase64url, encodedLength, encodeInto } from "./base64url.js";
import type { Crypto } from "./crypto.js";
import { isName } from "./field.js";
import { hkdf } from "./hkdf.js";

/** Bytes of a device key K. */
export const KEY_LENGTH = 32;
/** The key generation that a join or a registration begins with. */
export const FIRST_GENERATION = 1;
/** Longest plaintext that either side takes, in bytes; a request from an ESP8266 holds at most 1,024. */
export const MAX_PLAINTEXT = 4096;
export const MAX_PLAINTEXT_ESP8266 = 1024;
/** Longest device id, in characters of [A-Za-z0-9_-]. */
export const MAX_ID = 32;

const TAG_LENGTH = 22; // characters of 16 bytes
const DOT = 0x2e;
const HEADER = '{"alg":"dir","enc":"A128CBC-HS256","kid":"';
const RE = '","re":"';
const END = '"}';
const MAX_HEADER = HEADER.length + MAX_ID + 11 + RE.length + TAG_LENGTH + END.length;
const HELP = "Seal the message as the wire's section 1 says: five parts, that header, one key a direction.";

/** Made from K and the id by `deriveKeys`. `up` opens requests, `down` replies: MAC key, then AES key, 16 bytes each. */
export interface DeviceKeys {
  up: Uint8Array;
  down: Uint8Array;
  iv: Uint8Array;
}

/** A message taken apart, its tag not checked yet. */
export interface Sealed {
  id: string;
  g: number; // key generation
  re: string | undefined; // tag of the request that this replies to; undefined: it is a request
  aad: Uint8Array; // the first part as it was sent
  iv: Uint8Array;
  ciphertext: Uint8Array;
  tag: Uint8Array;
}

/** The three keys of device `id` (PROTOCOL section 1). `key` is K, 32 bytes. */
export function deriveKeys(crypto: Crypto, key: Uint8Array, id: string): DeviceKeys {
  return {
    up: derive(crypto, key, `broome/1 sync c2s|${id}`),
    down: derive(crypto, key, `broome/1 sync s2c|${id}`),
    iv: derive(crypto, key, `broome/1 sync iv|${id}`),
  };
}

/**
 * Device: seals a request. `b` and `s` go into the IV, so that it never repeats even where the random generator does.
 * `tag` is what the reply's `re` must be.
 */
export function sealRequest(
  crypto: Crypto,
  keys: DeviceKeys,
  message: { id: string; g: number; b: number; s: number; plaintext: Uint8Array },
): { bytes: Uint8Array; tag: string } {
  const count = new Uint8Array(8);
  const view = new DataView(count.buffer);
  view.setUint32(0, message.b);
  view.setUint32(4, message.s);
  const iv = crypto.hmacSha256(keys.iv, count, crypto.random(BLOCK)).slice(0, BLOCK);
  return seal(crypto, keys.up, headerOf(message.id, message.g), iv, message.plaintext);
}

/** Server: seals the reply to the request whose tag is `re`. */
export function sealReply(
  crypto: Crypto,
  keys: DeviceKeys,
  message: { id: string; g: number; re: string; plaintext: Uint8Array },
): Uint8Array {
  const iv = crypto.hmacSha256(keys.iv, encodeUtf8(message.re), crypto.random(BLOCK)).slice(0, BLOCK);
  const header = headerOf(message.id, message.g, message.re);
  return seal(crypto, keys.down, header, iv, message.plaintext).bytes;
}

/**
 * Takes a message apart without any key. `scratch` receives the decoded parts: the device passes `bytes` itself, which
 * are overwritten then; without it a buffer is made and `bytes` stay as they are. Throws `sealed-malformed` for anything
 * but five canonical parts, the exact header, an empty second part, a 16-byte IV and tag, and whole blocks.
 */
export function parseSealed(bytes: Uint8Array, scratch: Uint8Array = new Uint8Array(bytes.length)): Sealed {
  if (bytes.length > sealedLength(MAX_ID + 11, true, MAX_PLAINTEXT))
    throw malformed(`${bytes.length} bytes long`);
  const ends = partEnds(bytes);
  if (ends[1] !== ends[0]! + 1) throw malformed("the second part is not empty");
  const { id, g, re } = parseHeader(decodeHeader(bytes, ends[0]!));
  const iv = decodePart(bytes, scratch, ends[1]! + 1, ends[2]!);
  const ciphertext = decodePart(bytes, scratch, ends[2]! + 1, ends[3]!);
  const tag = decodePart(bytes, scratch, ends[3]! + 1, bytes.length);
  if (iv.length !== BLOCK || tag.length !== BLOCK)
    throw malformed(`IV of ${iv.length} bytes, tag of ${tag.length}`);
  if (ciphertext.length === 0 || ciphertext.length % BLOCK !== 0)
    throw malformed(`${ciphertext.length} bytes of ciphertext are no whole blocks`);
  return { id, g, re, aad: bytes.subarray(0, ends[0]), iv, ciphertext, tag };
}

/** Server: the plaintext of a request. Throws `sealed-unauthenticated`, also for a reply sent back. */
export function openRequest(crypto: Crypto, keys: DeviceKeys, sealed: Sealed): Uint8Array {
  if (sealed.re !== undefined) throw unauthenticated("a reply, not a request");
  return open(crypto, keys.up, sealed);
}

/**
 * Device: the plaintext of the reply to its one outstanding request. `bytes` are overwritten. Throws `sealed-malformed`, or
 * `sealed-unauthenticated` where device, generation, request or tag are other ones.
 */
export function openReply(
  crypto: Crypto,
  keys: DeviceKeys,
  expected: { id: string; g: number; re: string },
  bytes: Uint8Array,
): Uint8Array {
  const sealed = parseSealed(bytes, bytes);
  if (sealed.id !== expected.id || sealed.g !== expected.g)
    throw unauthenticated("for another device or key");
  if (sealed.re !== expected.re) throw unauthenticated("the reply to another request");
  return open(crypto, keys.down, sealed);
}

/** The text form of a tag: what `re` holds, and what the server stores beside (b, s). */
export function tagText(sealed: Sealed): string {
  return encodeBase64url(sealed.tag);
}

/** Bytes of a sealed message. `kidLength`: characters of `<id>.<g>`; `reply`: its header has `re`. */
export function sealedLength(kidLength: number, reply: boolean, plaintextLength: number): number {
  const header = HEADER.length + kidLength + (reply ? RE.length + TAG_LENGTH : 0) + END.length;
  const ciphertext = encodedLength(paddedLength(plaintextLength));
  return encodedLength(header) + 2 + TAG_LENGTH + 1 + ciphertext + 1 + TAG_LENGTH;
}

/** Longest plaintext of a reply that is at most `limit` bytes when sealed; negative where none fits. */
export function replyRoom(id: string, g: number, limit: number): number {
  const around = sealedLength(`${id}.${g}`.length, true, 0) - encodedLength(BLOCK);
  const ciphertext = Math.floor(((limit - around) * 3) / 4);
  return Math.min(MAX_PLAINTEXT, ciphertext - (ciphertext % BLOCK) - 1);
}

function derive(crypto: Crypto, key: Uint8Array, info: string): Uint8Array {
  return hkdf(crypto, key, new Uint8Array(0), encodeUtf8(info), KEY_LENGTH);
}

function headerOf(id: string, g: number, re?: string): Uint8Array {
  return encodeUtf8(`${HEADER}${id}.${g}${re === undefined ? "" : RE + re}${END}`);
}

function seal(
  crypto: Crypto,
  key: Uint8Array,
  header: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
): { bytes: Uint8Array; tag: string } {
  const aad = new Uint8Array(encodedLength(header.length));
  encodeInto(aad, 0, header);
  const { ciphertext, tag } = encrypt(crypto, key, iv, aad, plaintext);
  // Made only now: what encrypting took besides is free again, and the two together would be the device's peak.
  const textLength = encodedLength(ciphertext.length);
  const bytes = new Uint8Array(aad.length + 2 + TAG_LENGTH + 1 + textLength + 1 + TAG_LENGTH).fill(DOT);
  bytes.set(aad);
  let at = encodeInto(bytes, aad.length + 2, iv);
  at = encodeInto(bytes, at + 1, ciphertext);
  encodeInto(bytes, at + 1, tag);
  return { bytes, tag: encodeBase64url(tag) };
}

function open(crypto: Crypto, key: Uint8Array, { iv, aad, ciphertext, tag }: Sealed): Uint8Array {
  const plaintext = decrypt(crypto, key, iv, aad, ciphertext, tag);
  if (!plaintext) throw unauthenticated("the tag does not verify");
  return plaintext;
}

/** Where the first four parts end. */
function partEnds(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(DOT); at >= 0; at = bytes.indexOf(DOT, at + 1)) {
    ends.push(at);
    if (ends.length > 4) break;
  }
  if (ends.length !== 4) throw malformed(`${ends.length > 4 ? "more than 5" : ends.length + 1} parts`);
  return ends;
}

function decodePart(bytes: Uint8Array, scratch: Uint8Array, start: number, end: number): Uint8Array {
  return scratch.subarray(start, decodeInto(scratch, start, bytes, start, end));
}

function decodeHeader(bytes: Uint8Array, end: number): string {
  if (end > encodedLength(MAX_HEADER)) throw malformed("the header is too long");
  const header = new Uint8Array(MAX_HEADER + 2);
  return decodeUtf8(header.subarray(0, decodeInto(header, 0, bytes, 0, end)));
}

/**
 * The header's text is compared with the one that it may be, not parsed: other algorithms, `zip`, `crit`, doubled or added
 * members, other orders and white space all end here.
 */
function parseHeader(header: string): { id: string; g: number; re: string | undefined } {
  if (!header.startsWith(HEADER) || !header.endsWith(END)) throw malformed("another header");
  const inner = header.slice(HEADER.length, -END.length);
  const split = inner.indexOf(RE);
  const kid = split < 0 ? inner : inner.slice(0, split);
  const re = split < 0 ? undefined : inner.slice(split + RE.length);
  const dot = kid.indexOf(".");
  const id = kid.slice(0, Math.max(0, dot));
  const g = generation(kid.slice(dot + 1));
  if (!isName(id, MAX_ID) || g < 0) throw malformed("the kid is not <id>.<g>");
  if (re !== undefined && !(re.length === TAG_LENGTH && isName(re, TAG_LENGTH)))
    throw malformed("re is not the text of a tag");
  return { id, g, re };
}

/** A u32 in plain decimal, or -1. */
function generation(text: string): number {
  const value = Number(text);
  return value >= 0 && value <= 0xffffffff && String(value) === text ? value : -1;
}

function malformed(what: string): FormatError {
  return new FormatError("sealed-malformed", `not a sealed message: ${what}`, HELP);
}

function unauthenticated(what: string): FormatError {
  return new FormatError("sealed-unauthenticated", `not from the other side: ${what}`, HELP);
}
