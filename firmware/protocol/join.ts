// Joining a server (PROTOCOL section 2): Noise_NXpsk0_25519_AESGCM_SHA256 as key agreement, and six digits for the owner to compare.

import { FormatError } from "../format/error.js";
import { encodeUtf8 } from "../format/utf8.js";
import { decodeBase64url, encodeBase64url } from "./base64url.js";
import type { Crypto } from "./crypto.js";
import { equalBytes } from "./equal.js";
import { integer, isName, macText, milliseconds, nameText, text } from "./field.js";
import { hkdf } from "./hkdf.js";
import { parseJson } from "./json-depth.js";
import { Handshake, NX_PSK0 } from "./noise.js";
import type { KeyPair } from "./noise.js";
import { MAX_ID } from "./sealed.js";
import { MAX_NAME } from "./sync-message.js";

/** Longest body of M1 or M2 over HTTP, in bytes. */
export const MAX_JOIN_BODY = 1024;
const KID_LENGTH = 8; // characters of 6 bytes
const SECRET_LENGTH = 16;
const JOIN_KEY_LENGTH = 30; // characters of 22 bytes
const PIN_LENGTH = 22; // characters of 16 bytes
const NONCE_LENGTH = 16;
const HELP = "See SPEC.md, joining.";

/** A join key: whoever has it may ask to be let in. */
export interface JoinKey {
  kid: string; // 8 characters, 6 bytes
  secret: Uint8Array; // 16 bytes
}

/** What the device says of itself in M1, and what the owner is shown. */
export interface Hello {
  c: string; // commitment to n: 32 bytes as base64url
  mac: string; // "aa:bb:cc:dd:ee:ff"
  chip: string;
  product: string;
  v: string; // version
  rssi: number; // dBm, 0 where it has no radio
  pin: string; // the server pin it expects, or ""
  name?: string; // what its owner calls it, where the defaults say so
}

/** What a device keeps from M1 to M2. `body` is M1 as posted: to be sent again, the same, when M2 is lost. */
export interface DeviceJoin {
  body: Uint8Array;
  n: Uint8Array; // 16 bytes; goes into M3
  handshake: Handshake;
}

/** What a device has after M2. */
export interface Joined {
  id: string;
  key: Uint8Array; // K
  pin: string; // of the server that answered
  code: string; // six digits
  t: number; // server's time in M2, ms since 1970: not to be trusted as M2 can be sent late
}

/** What a server has after M1: nothing that cost a Diffie-Hellman. */
export interface ServerJoin {
  hello: Hello;
  handshake: Handshake;
}

/** What a server has after M2. It keeps K (wrapped), h and hello.c until M3. */
export interface Admitted {
  body: Uint8Array; // M2 as the HTTP reply's body
  key: Uint8Array; // K
  h: Uint8Array; // handshake hash
}

/** The text form, 30 characters: base64url(kid | secret). */
export function formatJoinKey(key: JoinKey): string {
  return key.kid + encodeBase64url(key.secret);
}

/** Throws `join-key-invalid`. */
export function parseJoinKey(value: string): JoinKey {
  try {
    const bytes = decodeBase64url(value, 6 + SECRET_LENGTH);
    return { kid: value.slice(0, KID_LENGTH), secret: bytes.slice(6) };
  } catch {
    throw new FormatError(
      "join-key-invalid",
      value.length === JOIN_KEY_LENGTH
        ? "a join key does not end so, or holds a character that none has: it was mistyped"
        : `a join key has ${JOIN_KEY_LENGTH} characters of base64url, this has ${value.length}`,
      "Take it whole from `broome join-keys create`.",
    );
  }
}

/** Pin of the server whose X25519 public key is given: 22 characters. */
export function serverPin(crypto: Crypto, publicKey: Uint8Array): string {
  return encodeBase64url(crypto.sha256(encodeUtf8("broome/1 server key"), publicKey).slice(0, 16));
}

/** What M1 commits to, and M3 opens: without it, six digits are ground in seconds. */
export function commitment(crypto: Crypto, n: Uint8Array): string {
  return encodeBase64url(crypto.sha256(encodeUtf8("broome/1 commit"), n));
}

/** The six digits that device and page show: u64be(SHA-256("broome/1 sas" | h | n)[0..8)) mod 10^6. */
export function joinCode(crypto: Crypto, h: Uint8Array, n: Uint8Array): string {
  const digest = crypto.sha256(encodeUtf8("broome/1 sas"), h, n);
  let code = 0;
  for (let i = 0; i < 8; i++) code = (code * 256 + digest[i]!) % 1_000_000;
  return String(code).padStart(6, "0");
}

/** Device: makes M1. Two X25519 base multiplications at most; nothing of the server is needed. */
export function startJoin(crypto: Crypto, joinKey: JoinKey, about: Omit<Hello, "c">): DeviceJoin {
  const n = crypto.random(NONCE_LENGTH);
  const handshake = new Handshake(crypto, {
    pattern: NX_PSK0,
    initiator: true,
    prologue: prologueOf(joinKey.kid),
    psk: pskOf(crypto, joinKey.secret),
  });
  const hello: Hello = { c: commitment(crypto, n), ...about };
  const m = encodeBase64url(handshake.write(encodeUtf8(JSON.stringify(hello))));
  return { body: encodeUtf8(`{"v":1,"jk":"${joinKey.kid}","m":"${m}"}`), n, handshake };
}

/**
 * Device: takes M2. `pin` is what the server's address says, or undefined where the person compares. Throws `wrong-server`,
 * `noise-unauthenticated`, `noise-weak-key`, `noise-malformed`, `join-malformed`, `field-invalid`, ...; after the `noise-` ones
 * and those of the body, another answer to the same M1 can still be taken.
 */
export function finishJoin(
  crypto: Crypto,
  join: DeviceJoin,
  body: Uint8Array,
  pin: string | undefined,
): Joined {
  const payload = join.handshake.read(messageOf(parseJson(bounded(body))));
  const actual = serverPin(crypto, join.handshake.remoteStatic!);
  if (pin !== undefined && !equalBytes(encodeUtf8(actual), encodeUtf8(pin)))
    throw new FormatError(
      "wrong-server",
      `the server that answers has the pin ${actual}, expected ${pin}`,
      "Check the server's address with its #pin; if the server was set up anew, write the new pin to the device.",
    );
  const o = parseJson(payload);
  return {
    id: nameText("id", o.id, MAX_ID),
    t: milliseconds("t", o.t),
    key: keyOf(crypto, join.handshake),
    pin: actual,
    code: joinCode(crypto, join.handshake.hash, join.n),
  };
}

/** Server: M1's HTTP body. Throws `join-malformed`, `base64url-invalid`, `json-...`. The kid says which key to look up. */
export function parseJoinRequest(body: Uint8Array): { kid: string; m: Uint8Array } {
  const o = parseJson(bounded(body));
  if (!isName(o.jk, KID_LENGTH) || o.jk.length !== KID_LENGTH) throw malformed("jk is not a key's id");
  return { kid: o.jk, m: messageOf(o) };
}

/**
 * Server: opens M1 with the join key's secret. No Diffie-Hellman is done here. Throws `noise-unauthenticated` for another
 * key, `field-invalid` for a bad hello.
 */
export function openM1(
  crypto: Crypto,
  request: { kid: string; m: Uint8Array },
  secret: Uint8Array,
  serverKey: KeyPair,
): ServerJoin {
  const handshake = new Handshake(crypto, {
    pattern: NX_PSK0,
    initiator: false,
    prologue: prologueOf(request.kid),
    psk: pskOf(crypto, secret),
    s: serverKey,
  });
  return { hello: helloOf(handshake.read(request.m)), handshake };
}

/** Server: makes M2. Throws `noise-weak-key` for a low-order point. Once per `ServerJoin`. */
export function makeM2(crypto: Crypto, join: ServerJoin, payload: { id: string; t: number }): Admitted {
  const { id, t } = payload;
  const m = encodeBase64url(join.handshake.write(encodeUtf8(JSON.stringify({ id, t }))));
  return {
    body: encodeUtf8(`{"v":1,"m":"${m}"}`),
    key: keyOf(crypto, join.handshake),
    h: join.handshake.hash,
  };
}

/**
 * Server: the code to show, after M3 opened. `n` is the request's `j.n`, `c` the hello's. Throws `join-commitment` where n is
 * not what M1 committed to: then nothing is shown.
 */
export function openM3(crypto: Crypto, join: { h: Uint8Array; c: string }, n: string): string {
  const bytes = decodeBase64url(n, NONCE_LENGTH);
  if (!equalBytes(encodeUtf8(commitment(crypto, bytes)), encodeUtf8(join.c)))
    throw new FormatError("join-commitment", "n is not what the device committed to", HELP);
  return joinCode(crypto, join.h, bytes);
}

function prologueOf(kid: string): Uint8Array {
  return encodeUtf8(`broome/1 join|${kid}`);
}

function pskOf(crypto: Crypto, secret: Uint8Array): Uint8Array {
  return hkdf(crypto, secret, new Uint8Array(0), encodeUtf8("broome/1 join psk"), 32);
}

function keyOf(crypto: Crypto, handshake: Handshake): Uint8Array {
  const [k1, k2] = handshake.split();
  const both = new Uint8Array(64);
  both.set(k1);
  both.set(k2, 32);
  return hkdf(crypto, both, handshake.hash, encodeUtf8("broome/1 device key"), 32);
}

function bounded(body: Uint8Array): Uint8Array {
  if (body.length > MAX_JOIN_BODY) throw malformed(`body of ${body.length} bytes`);
  return body;
}

function messageOf(o: Record<string, unknown>): Uint8Array {
  if (o.v !== 1) throw malformed("another version");
  return decodeBase64url(text("m", o.m, MAX_JOIN_BODY));
}

function helloOf(payload: Uint8Array): Hello {
  const o = parseJson(payload);
  const hello: Hello = {
    c: text("c", o.c, 43),
    mac: macText("mac", o.mac),
    chip: nameText("chip", o.chip, 16),
    product: text("product", o.product, 32),
    v: text("v", o.v, 31),
    rssi: 0 - integer("rssi", typeof o.rssi === "number" ? 0 - o.rssi : o.rssi, 127),
    pin: text("pin", o.pin, PIN_LENGTH),
  };
  if (o.name !== undefined) hello.name = text("name", o.name, MAX_NAME);
  decodeBase64url(hello.c, 32);
  return hello;
}

function malformed(what: string): FormatError {
  return new FormatError("join-malformed", `not a join message: ${what}`, HELP);
}
