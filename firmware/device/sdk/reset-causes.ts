// Why a chip started, from its own code to the seam's words.

import type { RawResetCause } from "../types.js";

/** esp_reset_reason_t (ESP-IDF v6.0, esp_system.h). */
const ESP32: readonly RawResetCause[] = [
  "unknown", // UNKNOWN
  "power-on", // POWERON: on the classic ESP32 the EN button as well
  "external", // EXT: not told by the classic ESP32
  "software", // SW
  "exception", // PANIC
  "watchdog", // INT_WDT
  "watchdog", // TASK_WDT
  "watchdog", // WDT
  "deep-sleep", // DEEPSLEEP
  "brownout", // BROWNOUT
  "unknown", // SDIO
  "external", // USB: a flasher or monitor on the built-in USB
  "external", // JTAG
  "unknown", // EFUSE
  "brownout", // PWR_GLITCH
  "exception", // CPU_LOCKUP: an exception within an exception
];

/** rst_reason (ESP8266 SDK, user_interface.h). A brownout is not told: it looks like a power-on or a hardware watchdog. */
const ESP8266: readonly RawResetCause[] = [
  "power-on", // DEFAULT_RST
  "watchdog", // WDT_RST
  "exception", // EXCEPTION_RST
  "watchdog", // SOFT_WDT_RST
  "software", // SOFT_RESTART
  "deep-sleep", // DEEP_SLEEP_AWAKE
  "external", // EXT_SYS_RST: the reset pin
];

export function esp32ResetCause(raw: number): RawResetCause {
  return ESP32[raw] ?? "unknown";
}

export function esp8266ResetCause(raw: number): RawResetCause {
  return ESP8266[raw] ?? "unknown";
}
