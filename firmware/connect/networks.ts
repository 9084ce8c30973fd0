// The networks that worked, newest first, as one record of the store; what else is known of them is in network-notes.ts.

import { decodeUtf8, encodeUtf8, measure } from "../format/utf8.js";
import { isHexDigest } from "../protocol/hex.js";
import { NETWORKS } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

export interface Network {
  ssid: Uint8Array; // 1 to 32 bytes
  password: string; // "" for an open one
}

export const MAX_NETWORKS = 8;
const MAX_SSID = 32; // bytes (IEEE 802.11, 9.4.2.2)
const MIN_PASSPHRASE = 8; // bytes
const MAX_PASSPHRASE = 63;

/** What is wrong with a network that somebody typed or patched, in plain words; undefined where nothing is. */
export function networkFault(network: Network): string | undefined {
  const { ssid, password } = network;
  if (ssid.length < 1 || ssid.length > MAX_SSID) return "a network's name has 1 to 32 bytes";
  if (password === "" || isHexDigest(password.toLowerCase())) return undefined; // 64 digits: the key itself
  const length = measure(password);
  return length < MIN_PASSPHRASE || length > MAX_PASSPHRASE
    ? "a password has 8 to 63 bytes, or is a key of 64 hex digits"
    : undefined;
}

/** Record: for each network length u8, SSID, length u8, password. Ends at the first that is not whole. */
export function loadNetworks(store: LogStore): Network[] {
  const record = store.get(NETWORKS) ?? new Uint8Array(0);
  const networks: Network[] = [];
  for (let at = 0; networks.length < MAX_NETWORKS;) {
    const ssidEnd = at + 1 + record[at]!;
    const end = endOf(record, at);
    if (end < 0) break;
    networks.push({
      ssid: record.slice(at + 1, ssidEnd),
      password: decodeUtf8(record.subarray(ssidEnd + 1, end)),
    });
    at = end;
  }
  return networks;
}

/**
 * Puts a network that has just led to an address first; the ninth pushes out the one that worked longest ago. Writes nothing
 * where it is first already. Works on bytes: eight networks as objects take the room that a start in a crowded place needs.
 * Throws as `LogStore.set`.
 */
export function rememberNetwork(store: LogStore, { ssid, password }: Network): void {
  const old = store.get(NETWORKS) ?? new Uint8Array(0);
  const secret = encodeUtf8(password);
  const record = new Uint8Array(2 + ssid.length + secret.length + old.length);
  record[0] = ssid.length;
  record.set(ssid, 1);
  record[1 + ssid.length] = secret.length;
  record.set(secret, 2 + ssid.length);
  let to = 2 + ssid.length + secret.length;
  let kept = 1;
  for (let at = 0, end: number; kept < MAX_NETWORKS && (end = endOf(old, at)) >= 0; at = end) {
    if (sameBytes(old.subarray(at + 1, at + 1 + old[at]!), ssid)) continue;
    record.set(old.subarray(at, end), to);
    to += end - at;
    kept += 1;
  }
  store.set(NETWORKS, record.subarray(0, to));
}

/** Behind the network that begins at `at`; -1 where none does that is whole. */
function endOf(record: Uint8Array, at: number): number {
  const ssidEnd = at + 1 + (record[at] ?? 0);
  const end = ssidEnd + 1 + (record[ssidEnd] ?? 0);
  return at < record.length && end <= record.length ? end : -1;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** An SSID for people: UTF-8 where it is, else hex. */
export function ssidText(ssid: Uint8Array): string {
  try {
    return decodeUtf8(ssid);
  } catch {
    return `0x${Array.from(ssid, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}
