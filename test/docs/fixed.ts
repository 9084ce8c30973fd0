// The fixed inputs of SPEC.md's examples: one device, one server, one join key, and randomness that is none.

import { crypto } from "../../host/crypto.js";
import { encodeUtf8 } from "../../firmware/format/utf8.js";
import type { Crypto } from "../../firmware/protocol/crypto.js";
import { serverPin, type JoinKey } from "../../firmware/protocol/join.js";
import type { KeyPair } from "../../firmware/protocol/noise.js";

/** `length` bytes that count up from `first`. */
export function counting(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);
}

/** The crypto seam whose random bytes are those given, in order. */
export function fixedRandom(...values: Uint8Array[]): Crypto {
  const left = [...values];
  return {
    ...crypto,
    random(length) {
      const next = left.shift();
      if (next?.length !== length) throw new Error(`${length} random bytes wanted, ${next?.length} are next`);
      return next;
    },
  };
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const utf8 = encodeUtf8;

export const ID = "mq3gkq7d2xj5r4ta";
export const K = counting(0x00, 32);
export const MAC = "02:00:00:67:25:01";
export const NOW = Date.UTC(2026, 6, 27, 2, 30); // 27 July 2026, 10:30 in Broome

const serverSecret = counting(0x40, 32);
export const SERVER: KeyPair = { secret: serverSecret, publicKey: crypto.x25519Public(serverSecret) };
export const PIN = serverPin(crypto, SERVER.publicKey);
export const SERVER_URL = `http://192.168.6.10:3000/#${PIN}`;

export const JOIN_KEY: JoinKey = { kid: "Bd1zXq0a", secret: counting(0x60, 16) };

/** Ed25519 key of RFC 8032 section 7.1, test 1; as PKCS #8 (RFC 8410). */
export const UPDATE_SECRET = Buffer.concat([
  Buffer.from("302e020100300506032b657004220420", "hex"),
  Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"),
]);
export const UPDATE_PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
export const UPDATE_KID = "demo-e3cacd5c";
