// What the boards' C hands over of a scan: records of 42 bytes, strongest first (firmware/native/scan-list.h says the same).
// One byte length of the name, 32 of the name, 6 of the BSSID, channel, signal in dBm (signed), the chip's own kind of lock.

import type { ScanEntry } from "../types.js";

export const RECORD_SIZE = 42; // bytes
const SSID_SIZE = 32;
const BSSID_AT = 33;
const CHANNEL_AT = 39;
const RSSI_AT = 40;
const LOCK_AT = 41;

/**
 * wifi_auth_mode_t of ESP-IDF v6.0's esp_wifi_types_generic.h; the ESP8266 SDK's AUTH_MODE (user_interface.h) has the first five,
 * by the same numbers. Mixed modes go by the stronger one.
 */
const LOCKS: readonly ScanEntry["security"][] = [
  "open",
  "wep",
  "wpa", // WPA_PSK
  "wpa2", // WPA2_PSK
  "wpa2", // WPA_WPA2_PSK
  "wpa2", // ENTERPRISE
  "wpa3", // WPA3_PSK
  "wpa3", // WPA2_WPA3_PSK
];

/** Entries of whole records; a record with an impossible length of name is left out, and so is a rest. */
export function scanEntries(records: Uint8Array): ScanEntry[] {
  const entries: ScanEntry[] = [];
  for (let at = 0; at + RECORD_SIZE <= records.length; at += RECORD_SIZE) {
    const record = records.subarray(at, at + RECORD_SIZE);
    if (record[0]! <= SSID_SIZE) entries.push(scanEntry(record));
  }
  return entries;
}

function scanEntry(record: Uint8Array): ScanEntry {
  return {
    ssid: record.slice(1, 1 + record[0]!),
    bssid: record.slice(BSSID_AT, BSSID_AT + 6),
    channel: record[CHANNEL_AT]!,
    rssi: record[RSSI_AT]! > 127 ? record[RSSI_AT]! - 256 : record[RSSI_AT]!,
    security: LOCKS[record[LOCK_AT]!] ?? "wpa2", // of a kind that is not known: it has a lock
  };
}
