// Why an association failed or ended: the raw codes of all chips, and the word of the vocabulary for each.
// Up to 68: IEEE 802.11-2020 table 9-49. From 200 on Espressif's own: wifi_err_reason_t in ESP-IDF v6.0's
// esp_wifi_types_generic.h, and the same numbers up to 204 in the ESP8266 SDK 2.3.0's user_interface.h.

type Reason = "wrong-password" | "not-found" | "timeout";

const REASONS: readonly (readonly [number, Reason])[] = [
  [1, "timeout"], // UNSPECIFIED (both)
  [2, "wrong-password"], // AUTH_EXPIRE (both chips): what many access points answer to a wrong password
  [3, "timeout"], // AUTH_LEAVE (both)
  [4, "timeout"], // DISASSOC_DUE_TO_INACTIVITY (ESP32), ASSOC_EXPIRE (ESP8266)
  [5, "timeout"], // ASSOC_TOOMANY (both): the access point is full
  [6, "timeout"], // CLASS2_FRAME_FROM_NONAUTH_STA (ESP32), NOT_AUTHED (ESP8266)
  [7, "timeout"], // CLASS3_FRAME_FROM_NONASSOC_STA (ESP32), NOT_ASSOCED (ESP8266)
  [8, "timeout"], // ASSOC_LEAVE (both)
  [9, "timeout"], // ASSOC_NOT_AUTHED (both)
  [14, "wrong-password"], // MIC_FAILURE (both)
  [15, "wrong-password"], // 4WAY_HANDSHAKE_TIMEOUT (both): an ESP32's usual answer to a wrong WPA2 password
  [16, "timeout"], // GROUP_KEY_UPDATE_TIMEOUT (both): an association that had worked
  [34, "timeout"], // MISSING_ACKS (ESP32)
  [39, "timeout"], // TIMEOUT (ESP32)
  [200, "timeout"], // BEACON_TIMEOUT (both)
  [201, "not-found"], // NO_AP_FOUND (both)
  [202, "wrong-password"], // AUTH_FAIL (both); an ESP32's answer to a wrong WPA3 password
  [203, "timeout"], // ASSOC_FAIL (both)
  [204, "wrong-password"], // HANDSHAKE_TIMEOUT (both)
  [205, "timeout"], // CONNECTION_FAIL (ESP32)
  [206, "timeout"], // AP_TSF_RESET (ESP32)
  [208, "timeout"], // ASSOC_COMEBACK_TIME_TOO_LONG (ESP32)
  [209, "timeout"], // SA_QUERY_TIMEOUT (ESP32)
  [210, "not-found"], // NO_AP_FOUND_W_COMPATIBLE_SECURITY (ESP32): the name is there, with another kind of lock
  [211, "not-found"], // NO_AP_FOUND_IN_AUTHMODE_THRESHOLD (ESP32)
  [212, "not-found"], // NO_AP_FOUND_IN_RSSI_THRESHOLD (ESP32)
];

/** What wifi_station_get_connect_status() of the ESP8266 says besides (user_interface.h), as the code that means the same. */
const STATUSES: readonly (readonly [number, number])[] = [
  [2, 202], // STATION_WRONG_PASSWORD
  [3, 201], // STATION_NO_AP_FOUND
];

/** The word of CONTRACT.md's vocabulary. What is not in the table (ciphers and modes that do not match, above all) is `not-found`. */
export function reasonOf(raw: number): string {
  return REASONS.find(([code]) => code === raw)?.[1] ?? "not-found";
}

/**
 * The raw code of an ESP8266: that of the disconnect event, unless the connect status is more definite and says something else
 * (a wrong password often ends with a mere ASSOC_LEAVE there). Only the event counts once there was an address.
 */
export function esp8266Raw(event: number, status: number): number {
  const said = STATUSES.find(([code]) => code === status)?.[1];
  return said === undefined || reasonOf(said) === reasonOf(event) ? event : said;
}
