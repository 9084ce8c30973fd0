// What ESP-Touch carries, on both sides, and its bounds (EsptouchForAndroid: EspProvisioningRequest, DatumCode).

import { BroomeError } from "../error.js";

export const MAX_SSID = 32; // bytes
export const MAX_PASSWORD = 64; // bytes
export const MAX_RESERVED = 64; // bytes
export const KEY_LENGTH = 16; // bytes: AES-128

/** Ports of the air: where a sender aims, and where it waits for the device's answer (v2 may take another of these). */
export const DEVICE_PORT = 7001;
export const DEVICE_ACK_PORT = 7002;
export const APP_PORTS: readonly number[] = [18266, 28266, 38266, 48266];

/** What a sender gives. */
export interface Credentials {
  readonly ssid: Uint8Array; // 0 to 32 bytes; v2 alone may leave it out
  readonly password: Uint8Array; // 0 to 64 bytes
  readonly bssid: Uint8Array; // 6 bytes
}

/** Throws `value-too-long` and `value-invalid`, naming the field. */
export function checkCredentials({ ssid, password, bssid }: Credentials): void {
  bounded("the network's name", ssid, MAX_SSID);
  bounded("the password", password, MAX_PASSWORD);
  if (bssid.length !== 6)
    throw new BroomeError(
      "value-invalid",
      `a BSSID has 6 bytes, this has ${bssid.length}`,
      "Write it as aa:bb:cc:dd:ee:ff.",
    );
}

/** Throws `value-too-long`. */
export function bounded(what: string, bytes: Uint8Array, max: number): void {
  if (bytes.length > max)
    throw new BroomeError(
      "value-too-long",
      `${what} has ${bytes.length} bytes, ESP-Touch carries at most ${max}`,
      "Shorten it, or use `broome setup`.",
    );
}
