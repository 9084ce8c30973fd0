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
  let at = 0;
  while (at < record.length && networks.length < MAX_NETWORKS) {
    const ssidEnd = at + 1 + record[at]!;
    const end = ssidEnd + 1 + (record[ssidEnd] ?? 0);
    if (end > record.length) break;
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
 * where it is first already. Throws as `LogStore.set`.
 */
export function rememberNetwork(store: LogStore, network: Network): void {
  const others = loadNetworks(store).filter(({ ssid }) => !sameBytes(ssid, network.ssid));
  const all = [network, ...others].slice(0, MAX_NETWORKS);
  const parts = all.map(({ ssid, password }) => [ssid, encodeUtf8(password)] as const);
  const record = new Uint8Array(
    parts.reduce((sum, [ssid, password]) => sum + 2 + ssid.length + password.length, 0),
  );
  let at = 0;
  for (const [ssid, password] of parts) {
    record[at] = ssid.length;
    record.set(ssid, at + 1);
    at += 1 + ssid.length;
    record[at] = password.length;
    record.set(password, at + 1);
    at += 1 + password.length;
  }
  store.set(NETWORKS, record);
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
