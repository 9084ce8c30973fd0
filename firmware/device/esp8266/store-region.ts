// Where an ESP8266 keeps the store: in the SPIFFS area of the SDK's linker script (eagle.flash.4m.ld), which its `flash` module calls
// "storage", at the address that the project's layout has for it. `broome build --sdk` holds the linked program against these.

/** Offset in flash of the SPIFFS area: `_SPIFFS_start`, less 0x40200000. */
export const STORAGE_START = 0x102000;

/** Offset in flash of the store: "broome" of the layout. */
export const STORE_START = 0x202000;

/** As much as on the ESP32: the store keeps some bytes of RAM for each sector, and the whole area has 761. */
export const STORE_SIZE = 0x10000; // bytes
