// ESP-Touch v2, the sender's half: credentials and reserved data as lengths of UDP datagrams, optionally encrypted
// (EsptouchForAndroid, esptouch-v2: EspProvisioningParams, TouchPacketUtils).
//
// Bytes go in groups of six (or five and their CRC). A group is its number, three times, then one datagram for each bit
// position: the six bits that the six bytes have there. Bytes below 128 need seven positions; the eighth carries a CRC then.

import { createCipheriv } from "node:crypto";
import { BroomeError } from "../error.js";
import { crc8 } from "./crc8.js";
import { type Credentials, KEY_LENGTH, MAX_RESERVED, bounded, checkCredentials } from "./credentials.js";

export const SYNC_LENGTH = 1048;
/** A group's count is sent as this plus count - 1. */
export const COUNT_LENGTH = 1072;
/** A group's number is sent as this plus the number; the head has none. */
export const NUMBER_LENGTH = 128;
export const MAX_GROUPS = 64; // more would be taken for data
export const HEAD_LENGTH = 6; // bytes
export const GROUP_LENGTH = 6; // bytes, the last of which may be a CRC
export const BIT_POSITIONS = 8;
/** Set in the length bytes of the head where the text has bytes of 128 and more. */
export const WIDE_MARK = 0x80;
export const IV_LENGTH = 20; // bytes; AES takes the first 16
export const BLOCK_LENGTH = 16; // AES, PKCS#7

/** How the password and the reserved data are hidden: 1 with an IV of zeros, 2 with a random one. */
export type Security = 1 | 2;

export interface V2Options {
  /** At most 64 bytes for the app's own use. */
  readonly reserved?: Uint8Array;
  /** AES-128. */
  readonly key?: Uint8Array;
  readonly security?: Security; // default 2
  /** Which of the four ports the sender listens on. */
  readonly portMark?: number;
  readonly ipv6?: boolean;
  /** CSPRNG: the IV and the padding. */
  random(length: number): Uint8Array;
}

/** Lengths of all datagrams of one round, in the order of sending. Throws `value-too-long`, `value-invalid`. */
export function roundLengths(credentials: Credentials, options: V2Options): number[] {
  checkCredentials(credentials);
  const reserved = options.reserved ?? new Uint8Array(0);
  bounded("the reserved data", reserved, MAX_RESERVED);
  if (options.key !== undefined && options.key.length !== KEY_LENGTH)
    throw new BroomeError(
      "value-invalid",
      `an AES key has ${KEY_LENGTH} bytes, this has ${options.key.length}`,
      "Give the key that is compiled into the device.",
    );
  const groups = [...groupsOf(credentials, reserved, options)];
  const count = COUNT_LENGTH + groups.length - 1;
  return groups.flatMap((group, i) => [
    ...(i === 0 ? [SYNC_LENGTH, count, SYNC_LENGTH, count] : Array<number>(3).fill(NUMBER_LENGTH + i - 1)),
    ...group,
  ]);
}

/** The datagram that says which bits the bytes of a group have at `position`. */
export function dataLength(bits: number, position: number): number {
  return (position << 7) | 0x40 | bits;
}

/** One group after the other, each as the lengths of its data. */
function* groupsOf(credentials: Credentials, reserved: Uint8Array, options: V2Options): Generator<number[]> {
  const { ssid, password } = credentials;
  const { key, random } = options;
  const encrypted = key !== undefined && password.length + reserved.length > 0;
  const security = options.security ?? 2;
  yield wideGroup(headOf(credentials, reserved, options, encrypted ? security : 0));
  if (encrypted) {
    const iv = security === 2 ? random(IV_LENGTH) : new Uint8Array(IV_LENGTH);
    const cipher = createCipheriv("aes-128-cbc", key, iv.subarray(0, BLOCK_LENGTH));
    yield* part(
      Buffer.concat([cipher.update(password), cipher.update(reserved), cipher.final()]),
      true,
      random,
    );
    if (security === 2) yield* part(iv, true, random);
  } else if (isWide(password) || isWide(reserved)) {
    yield* part(password, isWide(password), random);
    yield* part(reserved, isWide(reserved), random);
  } else yield* part(Buffer.concat([password, reserved]), false, random);
  yield* part(ssid, isWide(ssid), random);
}

function headOf(
  { ssid, password, bssid }: Credentials,
  reserved: Uint8Array,
  { portMark = 0, ipv6 = false }: V2Options,
  security: number,
): number[] {
  const sized = (bytes: Uint8Array) => bytes.length | (isWide(bytes) ? WIDE_MARK : 0);
  const flags = (ipv6 ? 0 : 1) | (security << 1) | ((portMark & 3) << 3);
  const head = [sized(ssid), sized(password), sized(reserved), crc8(...bssid), flags];
  return [...head, crc8(...head)];
}

/** Padded with bytes below 128 to whole groups: of five and a CRC where the text is wide, else of six. */
function* part(bytes: Uint8Array, wide: boolean, random: V2Options["random"]): Generator<number[]> {
  const size = wide ? GROUP_LENGTH - 1 : GROUP_LENGTH;
  for (let at = 0; at < bytes.length; at += size) {
    const group = [...bytes.subarray(at, at + size)];
    if (group.length < size) group.push(...random(size - group.length).map((byte) => byte & 0x7f));
    yield wide ? wideGroup([...group, crc8(...group)]) : narrowGroup(group);
  }
}

function wideGroup(group: readonly number[]): number[] {
  return Array.from({ length: BIT_POSITIONS }, (_, position) =>
    dataLength(bitsAt(group, position), position),
  );
}

function narrowGroup(group: readonly number[]): number[] {
  const last = BIT_POSITIONS - 1;
  return [...wideGroup(group).slice(0, last), dataLength(0, last) | crc8(...group)];
}

/** The first byte's bit is the highest of the six. */
function bitsAt(group: readonly number[], position: number): number {
  return group.reduce((bits, byte) => (bits << 1) | ((byte >> position) & 1), 0);
}

export function isWide(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte >= WIDE_MARK);
}
