// What is known of each stored network besides its credentials: when it last worked and where, and why it last failed.
//
// Apart from the credentials, because it changes more often, and because an older image reads those and not this. Record:
// for each network CRC-32 of its SSID u32, number of the start in which it last worked u32, BSSID 6 bytes, channel u8
// (0: not known), reason u8 (index in REASONS; 0: never failed), raw code u8 (0: none) with which that reason
// was first seen. Little-endian, newest first.

import { crc32 } from "../format/crc32.js";
import { NETWORK_NOTES } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import { MAX_NETWORKS } from "./networks.js";

const SIZE = 17; // bytes
const REASONS = ["", "wrong-password", "not-found", "no-address", "timeout"];

export interface NetworkNote {
  /** Number of the start in which it last led to an address. */
  boot: number;
  /** Where it was then. */
  bssid: Uint8Array | undefined;
  channel: number | undefined;
  /** "" or a reason of the vocabulary, with the raw code in brackets where the first such failure had one. */
  failure: string;
}

export function networkNote(store: LogStore, ssid: Uint8Array): NetworkNote | undefined {
  const record = store.get(NETWORK_NOTES);
  const at = record ? find(record, ssid) : -1;
  if (at < 0) return undefined;
  const view = new DataView(record!.buffer, record!.byteOffset + at, SIZE);
  const channel = record![at + 14]! || undefined;
  const raw = record![at + 16]!;
  const reason = REASONS[record![at + 15]!] ?? "";
  return {
    boot: view.getUint32(4, true),
    bssid: channel ? record!.slice(at + 8, at + 14) : undefined,
    channel,
    failure: reason && raw ? `${reason} (${raw})` : reason,
  };
}

/** It led to an address. Throws as `LogStore.set`. */
export function noteSuccess(
  store: LogStore,
  ssid: Uint8Array,
  boot: number,
  place: { bssid?: Uint8Array; channel?: number },
): void {
  const old = store.get(NETWORK_NOTES) ?? new Uint8Array(0);
  const at = find(old, ssid);
  const entry = new Uint8Array(SIZE);
  if (at >= 0) entry.set(old.subarray(at, at + SIZE));
  const view = new DataView(entry.buffer);
  view.setUint32(0, crc32(ssid), true);
  view.setUint32(4, boot, true);
  if (place.bssid && place.channel) {
    entry.set(place.bssid, 8);
    entry[14] = place.channel;
  }
  const kept = Math.min(wholeEntries(old) - (at < 0 ? 0 : 1), MAX_NETWORKS - 1);
  const record = new Uint8Array((1 + kept) * SIZE);
  record.set(entry);
  let to = SIZE;
  for (let from = 0; to < record.length; from += SIZE) {
    if (from === at) continue;
    record.set(old.subarray(from, from + SIZE), to);
    to += SIZE;
  }
  store.set(NETWORK_NOTES, record);
}

/**
 * It did not. Nothing is written where it failed for that reason last time, whatever the code was: a wrong password shows as now
 * this code and now that one, and flash wears. Nor is anything of a network that is not among those that worked.
 */
export function noteFailure(store: LogStore, ssid: Uint8Array, failure: string): void {
  const record = store.get(NETWORK_NOTES);
  const at = record ? find(record, ssid) : -1;
  const [word, code = ""] = failure.split(" (");
  const reason = REASONS.indexOf(word!);
  if (at < 0 || reason < 1 || record![at + 15] === reason) return;
  record![at + 15] = reason;
  record![at + 16] = parseInt(code, 10) || 0;
  store.set(NETWORK_NOTES, record!);
}

function wholeEntries(record: Uint8Array): number {
  return Math.min(MAX_NETWORKS, Math.floor(record.length / SIZE));
}

function find(record: Uint8Array, ssid: Uint8Array): number {
  const crc = crc32(ssid);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  for (let i = 0; i < wholeEntries(record); i += 1)
    if (view.getUint32(i * SIZE, true) === crc) return i * SIZE;
  return -1;
}
