// The ESP8266 has no partition table that its SDK reads: the store lies where the linker script has the SPIFFS area. Whether a linked
// program agrees with the chip's layout, by the symbols that the SDK's `flash` module goes by (modules/files/flash/esp/flash.c).

import type { Region } from "../chips/chip.js";
import { BroomeError } from "../error.js";
import { symbolsOf } from "../elf/elf.js";

/** Where flash begins in the addresses of the linker script (kFlashStart of XS). */
const FLASH_START = 0x40200000;

/** What firmware/device/esp8266/store-region.ts counts from: eagle.flash.4m.ld's `_SPIFFS_start`. */
export const STORAGE_START = 0x102000;

/** `elf` is the linked program, `store` the layout's. Throws `sdk-config`, `elf-unreadable`. */
export function checkStorage(elf: Uint8Array, store: Region): void {
  const symbols = symbolsOf(elf, ["_SPIFFS_start", "_SPIFFS_end"]);
  const [start, end] = ["_SPIFFS_start", "_SPIFFS_end"].map((name) => (symbols.get(name) ?? 0) - FLASH_START);
  if (start === STORAGE_START && store.offset >= start && store.offset + store.size <= end!) return;
  const there =
    symbols.size < 2 ? "none" : `0x${start!.toString(16)} to 0x${end!.toString(16)} (offsets in flash)`;
  throw new BroomeError(
    "sdk-config",
    `the SPIFFS area of the linked program is ${there}; the store lies at 0x${store.offset.toString(16)}, counted from 0x${STORAGE_START.toString(16)}`,
    "The firmware is for the SDK's eagle.flash.4m.ld (4 MB): build without a FLASH_LAYOUT of another flash.",
  );
}
