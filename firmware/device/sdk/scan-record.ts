// What the boards' C hands over of a scan: records of 42 bytes, strongest first (firmware/native/broome-scan-list.h says the same).
// One byte length of the name, 32 of the name, 6 of the BSSID, channel, signal in dBm (signed), the chip's own kind of lock.

import type { ScanList, Security } from "../types.js";

export const RECORD_SIZE = 42; // bytes
const SSID_SIZE = 32;
export const CHANNEL_AT = 39;
const RSSI_AT = 40;
const LOCK_AT = 41;

/**
 * wifi_auth_mode_t of ESP-IDF v6.0's esp_wifi_types_generic.h; the ESP8266 SDK's AUTH_MODE (user_interface.h) has the first five,
 * by the same numbers. Mixed modes go by the stronger one.
 */
const LOCKS: readonly Security[] = [
  "open",
  "wep",
  "wpa", // WPA_PSK
  "wpa2", // WPA2_PSK
  "wpa2", // WPA_WPA2_PSK
  "wpa2", // ENTERPRISE
  "wpa3", // WPA3_PSK
  "wpa3", // WPA2_WPA3_PSK
];

/** A list over the records as they came; the bytes are its own from then on. */
export class ScanRecords implements ScanList {
  readonly length: number;
  private readonly bytes: Uint8Array;

  /** Leaves out records with an impossible length of name, and what is no whole record. */
  constructor(bytes: Uint8Array) {
    let end = 0;
    for (let at = 0; at + RECORD_SIZE <= bytes.length; at += RECORD_SIZE) {
      if (bytes[at]! > SSID_SIZE) continue;
      bytes.copyWithin(end, at, at + RECORD_SIZE);
      end += RECORD_SIZE;
    }
    this.bytes = bytes;
    this.length = end / RECORD_SIZE;
  }

  ssid(place: number): Uint8Array {
    const at = place * RECORD_SIZE;
    return this.bytes.subarray(at + 1, at + 1 + this.bytes[at]!);
  }

  channel(place: number): number {
    return this.bytes[place * RECORD_SIZE + CHANNEL_AT]!;
  }

  rssi(place: number): number {
    const value = this.bytes[place * RECORD_SIZE + RSSI_AT]!;
    return value > 127 ? value - 256 : value;
  }

  /** Of a kind that is not known: it has a lock. */
  security(place: number): Security {
    return LOCKS[this.bytes[place * RECORD_SIZE + LOCK_AT]!] ?? "wpa2";
  }
}
