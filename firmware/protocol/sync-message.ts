// The plaintext of a sync (PROTOCOL section 1): the fields of request and reply, and the checks of each side.

import { FormatError } from "../format/error.js";
import { encodeUtf8, measure } from "../format/utf8.js";
import { decodeBase64url } from "./base64url.js";
import { flat, integer, list, milliseconds, nameText, object, refuse, scalar, text, u32 } from "./field.js";
import type { Scalar } from "./field.js";
import { isHexDigest } from "./hex.js";
import { parseJson } from "./json-depth.js";

export type { Scalar };

/** Longest hold that a request may ask for, in seconds. */
export const MAX_WAIT_S = 50;
/** Bounds of one message. */
export const MAX_READINGS = 128;
export const MAX_PINS = 32;
export const MAX_LEDGER = 8;
export const MAX_NAME = 32; // characters of a reading's name, bytes of a device's
export const MAX_VALUE = 256; // bytes of a reading's or pin's text
/** Bytes of a text of `x`: an SSID of 32 bytes that are not UTF-8 is said as "0x" and 64 hex digits. */
export const MAX_STATE_TEXT = 66;
export const MAX_CONFIGURATION = 768; // bytes of the configuration's values as JSON
export const MAX_PIN = 255;

/** [b, k, u, name, value]: boot, index within all records of the boot, uptime in ms when taken. Id is (b, k), ascending. */
export type Reading = [b: number, k: number, u: number, name: string, value: Scalar];
/** [pin, value]: a pin as the device reports it. */
export type PinReport = [pin: number, value: Scalar];
/** [revision, pin, value]: what the server wants a pin to be. */
export type PinWish = [revision: number, pin: number, value: Scalar];
/** [b, cause, version, previous run's uptime in ms, note]: one start of the device, cause of CONTRACT.md's vocabulary. */
export type LedgerEntry = [b: number, cause: string, version: string, previousUptimeMs: number, note: string];

/** States of V101 (CONTRACT.md). */
export const OTA_STATES = [
  "idle",
  "checking",
  "offered",
  "downloading",
  "verifying",
  "restarting",
  "trial",
  "confirmed",
  "rolled-back",
  "failed",
] as const;

/** What the device says about updates, when it changed. */
export interface OtaReport {
  state: (typeof OTA_STATES)[number];
  version?: string; // the one being installed, or fallen back from
  percent?: number; // 0 to 100
  reason?: string;
}

/** `ssid, ip, rssi, mac, chip, version, product, heap, step ...`: what the device is, flat, sent when it changed. */
export type State = Record<string, Scalar>;

export interface SyncRequest {
  b: number; // boot number
  s: number; // sequence within the boot, from 1; a request is fresh when (b, s) is above the last one
  u: number; // uptime in ms
  t: number; // own idea of the server's time, ms since 1970, or 0
  w: number; // seconds that it will wait, at most MAX_WAIT_S
  m: number; // longest reply that it takes: bytes of the sealed message
  p: number; // highest pin revision that it has processed
  c: number; // serial number of the configuration that it applied
  r?: Reading[];
  v?: PinReport[];
  l?: LedgerEntry[];
  x?: State;
  o?: OtaReport;
  j?: { n: string }; // M3 of a join: 16 bytes as base64url
  d?: Record<string, Scalar>; // device properties that it changed
}

/** An update offer. */
export interface Offer {
  v: string; // version
  m: string; // SHA-256 of the manifest file, lower-case hex: it lies at /fw/<m>.jws
  down?: boolean; // a lower version is meant
  again?: boolean; // a person asked: also when this image was remembered as failed
}

export interface SyncReply {
  t: number; // server time, ms since 1970
  a?: [b: number, k: number]; // every record up to here is durable
  la?: number; // every ledger entry up to this boot is durable
  n?: string; // name of the device
  p?: number; // highest revision in w
  w?: PinWish[]; // all above the request's p, the latest per pin
  c?: { n: number; v: Record<string, Scalar> }; // configuration: serial number and values
  d?: Record<string, Scalar>; // device properties, after a boot
  u?: Offer;
  e?: "stale" | "pending" | "denied";
  hb?: number; // with `stale`: the highest boot number seen
}

/** The request's bytes. Throws `message-too-long` above `limit`, and `value-not-utf8`; the device made the fields itself. */
export function encodeRequest(request: SyncRequest, limit: number): Uint8Array {
  return encode(request, limit);
}

/** The reply's bytes. Throws `message-too-long` above `limit`. */
export function encodeReply(reply: SyncReply, limit: number): Uint8Array {
  return encode(reply, limit);
}

/**
 * Server: a request's plaintext. Every field checked for type and bounds; members it does not know are left out, so that
 * newer firmware can speak to an older server. Throws `field-invalid`, `base64url-invalid`, `json-invalid`, `json-too-deep`,
 * `value-not-utf8`. With `faults`, only what is wrong with the form or with `b` to `c` is thrown: another field that is
 * invalid (of x and d: a member) is left out, and its error added.
 */
export function decodeRequest(plaintext: Uint8Array, faults?: FormatError[]): SyncRequest {
  const o = parseJson(plaintext);
  const request: SyncRequest = {
    b: u32("b", o.b),
    s: u32("s", o.s),
    u: milliseconds("u", o.u),
    t: milliseconds("t", o.t),
    w: integer("w", o.w, MAX_WAIT_S),
    m: u32("m", o.m),
    p: u32("p", o.p),
    c: u32("c", o.c),
  };
  const part = <Name extends "r" | "v" | "l" | "x" | "o" | "j" | "d">(
    name: Name,
    read: (value: unknown) => SyncRequest[Name],
  ) => {
    if (o[name] !== undefined)
      leniently(faults, () => {
        request[name] = read(o[name]);
      });
  };
  part("r", readings);
  part("v", (value) => list("v", value, 0, MAX_PINS).map(pinReport));
  part("l", (value) => list("l", value, 0, MAX_LEDGER).map(ledgerEntry));
  part("x", (value) => members("x", value, 24, MAX_STATE_TEXT, faults));
  part("o", otaReport);
  part("j", joinProof);
  part("d", (value) => members("d", value, 16, 64, faults));
  return request;
}

function leniently(faults: FormatError[] | undefined, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!faults || !(error instanceof FormatError)) throw error;
    faults.push(error);
  }
}

/** As `flat`, a member at a time. */
function members(
  name: string,
  value: unknown,
  maxMembers: number,
  maxText: number,
  faults: FormatError[] | undefined,
): Record<string, Scalar> {
  const all = Object.entries(object(name, value));
  if (all.length > maxMembers) refuse(name, `${all.length} members, at most ${maxMembers}`);
  const copy: Record<string, Scalar> = {};
  for (const [key, member] of all)
    leniently(faults, () => Object.assign(copy, flat(name, { [key]: member }, 1, maxText)));
  return copy;
}

/** Device: a reply's plaintext, checked likewise. Throws as `decodeRequest`. */
export function decodeReply(plaintext: Uint8Array): SyncReply {
  const o = parseJson(plaintext);
  const reply: SyncReply = { t: milliseconds("t", o.t) };
  if (o.a !== undefined) {
    const a = list("a", o.a, 2, 2);
    reply.a = [u32("a", a[0]), u32("a", a[1])];
  }
  if (o.la !== undefined) reply.la = u32("la", o.la);
  if (o.n !== undefined) reply.n = text("n", o.n, MAX_NAME);
  if (o.p !== undefined) reply.p = u32("p", o.p);
  if (o.w !== undefined) reply.w = list("w", o.w, 0, MAX_PINS).map(pinWish);
  if (o.c !== undefined) reply.c = configuration(o.c);
  if (o.d !== undefined) reply.d = flat("d", o.d, 16, 64);
  if (o.u !== undefined) reply.u = offer(o.u);
  if (o.e !== undefined) {
    if (o.e !== "stale" && o.e !== "pending" && o.e !== "denied")
      refuse("e", "not an error this device knows");
    reply.e = o.e;
    if (o.e === "stale") reply.hb = u32("hb", o.hb);
  }
  return reply;
}

/** True where (b, s) comes after (b2, s2). */
export function isAfter(b: number, s: number, b2: number, s2: number): boolean {
  return b > b2 || (b === b2 && s > s2);
}

function encode(message: SyncRequest | SyncReply, limit: number): Uint8Array {
  const bytes = encodeUtf8(JSON.stringify(message));
  if (bytes.length > limit)
    throw new FormatError(
      "message-too-long",
      `message of ${bytes.length} bytes, at most ${limit}`,
      "Send fewer readings at a time.",
    );
  return bytes;
}

function readings(value: unknown): Reading[] {
  const checked = list("r", value, 0, MAX_READINGS).map(reading);
  for (let i = 1; i < checked.length; i++)
    if (!isAfter(checked[i]![0], checked[i]![1], checked[i - 1]![0], checked[i - 1]![1]))
      refuse("r", `record ${i} is not after the one before it`);
  return checked;
}

function reading(value: unknown): Reading {
  const [b, k, u, name, v] = list("r", value, 5, 5);
  if (typeof name !== "string" || name.includes("__proto__")) refuse("r.name", "expected a name");
  nameText("r.name", name.split(".").join("-"), MAX_NAME);
  return [u32("r.b", b), u32("r.k", k), milliseconds("r.u", u), name, scalar("r.value", v, MAX_VALUE)];
}

function pinReport(value: unknown): PinReport {
  const [pin, v] = list("v", value, 2, 2);
  return [integer("v.pin", pin, MAX_PIN), scalar("v.value", v, MAX_VALUE)];
}

function pinWish(value: unknown): PinWish {
  const [revision, pin, v] = list("w", value, 3, 3);
  return [u32("w.revision", revision), integer("w.pin", pin, MAX_PIN), scalar("w.value", v, MAX_VALUE)];
}

function ledgerEntry(value: unknown): LedgerEntry {
  const [b, cause, version, uptime, note] = list("l", value, 5, 5);
  return [
    u32("l.b", b),
    text("l.cause", cause, 32),
    text("l.version", version, 31),
    milliseconds("l.uptime", uptime),
    text("l.note", note, 64),
  ];
}

function otaReport(value: unknown): OtaReport {
  const o = object("o", value);
  const state = OTA_STATES.find((known) => known === o.state);
  if (state === undefined) refuse("o.state", "not a state of an update");
  const report: OtaReport = { state };
  if (o.version !== undefined) report.version = text("o.version", o.version, 31);
  if (o.percent !== undefined) report.percent = integer("o.percent", o.percent, 100);
  if (o.reason !== undefined) report.reason = text("o.reason", o.reason, 64);
  return report;
}

function joinProof(value: unknown): { n: string } {
  const n = text("j.n", object("j", value).n, 22);
  decodeBase64url(n, 16);
  return { n };
}

function configuration(value: unknown): { n: number; v: Record<string, Scalar> } {
  const o = object("c", value);
  const v = flat("c.v", o.v, 32, MAX_VALUE);
  if (measure(JSON.stringify(v)) > MAX_CONFIGURATION) refuse("c.v", `more than ${MAX_CONFIGURATION} bytes`);
  return { n: u32("c.n", o.n), v };
}

function offer(value: unknown): Offer {
  const o = object("u", value);
  if (!isHexDigest(o.m)) refuse("u.m", "expected a SHA-256 as 64 lower-case hex digits");
  const checked: Offer = { v: text("u.v", o.v, 31), m: o.m };
  if (o.down === true) checked.down = true;
  if (o.again === true) checked.again = true;
  return checked;
}
