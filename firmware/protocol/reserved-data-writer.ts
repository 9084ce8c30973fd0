// Writes what ESP-Touch v2's reserved data carries of ours (reserved-data.ts has the format): the sender's half.

import { FormatError } from "../format/error.js";
import { encodeUtf8 } from "../format/utf8.js";
import { decodeBase64url } from "./base64url.js";
import { parseJoinKey } from "./join.js";
import {
  HAS_IPV4,
  HAS_JOIN_KEY,
  HAS_PIN,
  JOIN_KEY_SIZE,
  MAX_RESERVED,
  PIN_SIZE,
  RESERVED_MARK,
} from "./reserved-data.js";
import type { ReservedData } from "./reserved-data.js";

/** `server` as `parseServerUrl` gives it. Throws `reserved-data-too-long`, `join-key-invalid`. */
export function encodeReserved({ server, joinKey }: ReservedData): Uint8Array {
  const { host, port, pin } = server;
  if (joinKey !== undefined) parseJoinKey(joinKey);
  const ipv4 = ipv4Bytes(host);
  const name = encodeUtf8(host);
  const parts = [
    Uint8Array.of(RESERVED_MARK, 0, port >> 8, port & 0xff),
    ipv4 ?? Uint8Array.of(name.length, ...name),
    pin === undefined ? new Uint8Array(0) : decodeBase64url(pin, PIN_SIZE),
    joinKey === undefined ? new Uint8Array(0) : decodeBase64url(joinKey, JOIN_KEY_SIZE),
    Uint8Array.of(RESERVED_MARK),
  ];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (size > MAX_RESERVED)
    throw new FormatError(
      "reserved-data-too-long",
      `the host "${host}" has ${name.length} characters, beside the rest ESP-Touch carries ${name.length - (size - MAX_RESERVED)}`,
      "Give the server's IPv4 address, or a shorter name.",
    );
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes[1] =
    (ipv4 ? HAS_IPV4 : 0) | (pin === undefined ? 0 : HAS_PIN) | (joinKey === undefined ? 0 : HAS_JOIN_KEY);
  return bytes;
}

/** Of four decimal numbers without leading zeros; undefined: a name. */
function ipv4Bytes(host: string): Uint8Array | undefined {
  const numbers = host.split(".").map(Number);
  const isByte = (number: number) => Number.isInteger(number) && number >= 0 && number <= 255;
  if (numbers.length !== 4 || !numbers.every(isByte)) return undefined;
  return numbers.join(".") === host ? Uint8Array.from(numbers) : undefined;
}
