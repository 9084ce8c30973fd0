// What ESP-Touch brought: see the header.
#include "broome-touch-record.h"

#include <string.h>

static size_t toFirstZero(const uint8_t* field, size_t size) {
  size_t length = 0;
  while ((length < size) && field[length]) length++;
  return length;
}

static size_t toLastByte(const uint8_t* field, size_t size) {
  while ((size > 0) && !field[size - 1]) size--;
  return size;
}

static uint8_t* putPart(uint8_t* to, const uint8_t* part, size_t length) {
  *to++ = (uint8_t)length;
  if (length) memcpy(to, part, length);
  return to + length;
}

size_t touchRecord(uint8_t record[TOUCH_RECORD_SIZE], uint8_t flags, const uint8_t ssid[TOUCH_SSID_SIZE],
                   const uint8_t password[TOUCH_PASSWORD_SIZE], const uint8_t* reserved) {
  uint8_t* to = record;
  *to++ = flags;
  to = putPart(to, ssid, toFirstZero(ssid, TOUCH_SSID_SIZE));
  to = putPart(to, password, toFirstZero(password, TOUCH_PASSWORD_SIZE));
  to = putPart(to, reserved, reserved ? toLastByte(reserved, TOUCH_RESERVED_SIZE) : 0);
  return (size_t)(to - record);
}
