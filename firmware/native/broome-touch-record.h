// What ESP-Touch brought, in the record that firmware/device/sdk/touch-record.ts reads. Portable C, no memory of its own.
#ifndef BROOME_TOUCH_RECORD_H
#define BROOME_TOUCH_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define TOUCH_SSID_SIZE 32
#define TOUCH_PASSWORD_SIZE 64
#define TOUCH_RESERVED_SIZE 64
// Flags, and three parts with their lengths.
#define TOUCH_RECORD_SIZE (1 + 1 + TOUCH_SSID_SIZE + 1 + TOUCH_PASSWORD_SIZE + 1 + TOUCH_RESERVED_SIZE)

#define TOUCH_V2 1
#define TOUCH_ENCRYPTED 2

// Fields as the vendors have them: filled up with zeros, and not ended by one where they are full. `reserved` may be NULL.
// A name or a password ends at the first zero. The reserved data's length is not told by ESP-IDF, and zeros may be in it:
// it ends at the last byte that is none. Returns the record's size.
size_t touchRecord(uint8_t record[TOUCH_RECORD_SIZE], uint8_t flags, const uint8_t ssid[TOUCH_SSID_SIZE],
                   const uint8_t password[TOUCH_PASSWORD_SIZE], const uint8_t* reserved);

#endif
