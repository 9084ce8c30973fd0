// Where the code and the tables of curve25519-*.c lie: on the ESP8266 in flash (irom), because its 32 KB of instruction RAM
// and 80 KB of data RAM have no room for them. Flash is read there in aligned words of 32 bits and in no other way.
#ifndef BROOME_CURVE25519_FLASH_H
#define BROOME_CURVE25519_FLASH_H

#include <stdint.h>

// The SDK defines __ets__ for the ESP8266 and for the ESP32. Its linker script takes these sections into irom; literals
// follow the code, because it compiles with -mtext-section-literals.
#if defined(__ets__) && !defined(ESP32)
#define ON_ESP8266 1
#define IN_FLASH __attribute__((section(".irom.text.curve25519")))
#define TABLE_IN_FLASH __attribute__((section(".irom.text.curve25519.table"), aligned(4)))
#else
#define ON_ESP8266 0
#define IN_FLASH
#define TABLE_IN_FLASH
#endif

// Reads a word of a table; volatile, so that no compiler narrows it to the byte or half that is used of it.
static inline uint32_t flashWord(const uint32_t* table, unsigned index) {
  return ((const volatile uint32_t*)table)[index];
}

#endif
