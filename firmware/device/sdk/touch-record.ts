// What the boards' C hands over of an ESP-Touch transfer (firmware/native/touch-record.h says the same): three parts, each with
// its length in one byte: name of the network, password, reserved data. A fourth byte tells whether the last two count.

import type { TouchCredentials } from "../types.js";

/** Longest parts: a name, a password (64 hex digits are one), and what a phone can send besides. In bytes. */
const LIMITS = [32, 64, 64];
const V2 = 1; // flag: there is reserved data, though it may be empty
const ENCRYPTED = 2; // flag: it came under v2's AES key

/**
 * `record`: flags, then the three parts. Undefined where it is not well formed, has no name, or its password has other characters
 * than IEEE 802.11-2020 J.4.1 allows (32 to 126): a phone in the neighbourhood may send anything.
 */
export function touchCredentials(record: Uint8Array): TouchCredentials | undefined {
  const parts: Uint8Array[] = [];
  let at = 1;
  for (const limit of LIMITS) {
    const length = record[at];
    if (length === undefined || length > limit || at + 1 + length > record.length) return undefined;
    parts.push(record.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  const [ssid, password, reserved] = parts;
  if (at !== record.length || ssid!.length === 0) return undefined;
  if (password!.some((byte) => byte < 32 || byte > 126)) return undefined;
  const flags = record[0]!;
  return {
    ssid: ssid!,
    password: String.fromCharCode(...password!),
    reserved: flags & V2 ? reserved : undefined,
    encrypted: (flags & ENCRYPTED) !== 0,
  };
}
