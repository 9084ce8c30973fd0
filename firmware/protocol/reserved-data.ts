// What ESP-Touch v2's reserved data carries of ours: a server's address with its pin, and a join key (SPEC.md, "ESP-Touch").
// Other apps put whatever they like there; as text it never begins like ours. reserved-data-writer.ts writes it.

import { FormatError } from "../format/error.js";
import { encodeBase64url } from "./base64url.js";
import { formatServerUrl, parseServerUrl } from "./server-url.js";
import type { ServerUrl } from "./server-url.js";

/** First and last byte: no UTF-8 text begins with it, and a chip that drops zeros at the end finds none there. */
export const RESERVED_MARK = 0xb1;
export const MAX_RESERVED = 64; // bytes: what ESP-Touch carries
/** Flags, what is there. */
export const HAS_PIN = 1;
export const HAS_JOIN_KEY = 2;
/** The host is four bytes of IPv4; else a length and as many ASCII characters. */
export const HAS_IPV4 = 4;
export const PIN_SIZE = 16; // bytes
export const JOIN_KEY_SIZE = 22; // bytes
const KNOWN_FLAGS = HAS_PIN | HAS_JOIN_KEY | HAS_IPV4;
const HEAD_SIZE = 4; // bytes: mark, flags, port u16be
const IPV4_SIZE = 4;

export interface ReservedData {
  server: ServerUrl;
  /** 30 characters of base64url, as `parseJoinKey` takes them. */
  joinKey: string | undefined;
}

/** Throws `reserved-data-foreign` where it is not ours, `reserved-data-invalid`, `server-url-invalid`. The message tells nothing of a key. */
export function parseReserved(bytes: Uint8Array): ReservedData {
  if (bytes[0] !== RESERVED_MARK) throw refused("foreign", "it is another app's");
  const flags = bytes[1]!;
  if (!(bytes.length > HEAD_SIZE && bytes.length <= MAX_RESERVED))
    throw refused("invalid", `it has ${bytes.length} bytes`);
  if ((flags & ~KNOWN_FLAGS) !== 0) throw refused("invalid", `it has flags that are not known: ${flags}`);
  const isIpv4 = (flags & HAS_IPV4) !== 0;
  const hostAt = isIpv4 ? HEAD_SIZE : HEAD_SIZE + 1;
  const pinAt = hostAt + (isIpv4 ? IPV4_SIZE : bytes[HEAD_SIZE]!);
  const keyAt = pinAt + (flags & HAS_PIN ? PIN_SIZE : 0);
  const end = keyAt + (flags & HAS_JOIN_KEY ? JOIN_KEY_SIZE : 0);
  if (bytes.length !== end + 1 || bytes[end] !== RESERVED_MARK)
    throw refused("invalid", "it does not end where it should");
  const host = bytes.subarray(hostAt, pinAt);
  const url = formatServerUrl({
    host: isIpv4 ? host.join(".") : textOf(host),
    port: (bytes[2]! << 8) | bytes[3]!,
    pin: flags & HAS_PIN ? encodeBase64url(bytes.subarray(pinAt, keyAt)) : undefined,
  });
  const joinKey = flags & HAS_JOIN_KEY ? encodeBase64url(bytes.subarray(keyAt, end)) : undefined;
  return { server: parseServerUrl(url), joinKey }; // which knows what a host and a port are
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 1) text += String.fromCharCode(bytes[i]!);
  return text;
}

function refused(code: string, what: string): FormatError {
  return new FormatError(`reserved-data-${code}`, what, "See SPEC.md, ESP-Touch.");
}
