// From the program's values to fixed fields: see the header.
#ifdef __ets__  // the boards; a lin build has no vendor

#include "broome-field.h"

#include "xsHost.h"

static void fill(xsMachine* the, uint8_t* field, xsUnsignedValue size, const void* from, xsUnsignedValue length) {
  if (length > size) xsRangeError("%d bytes, at most %d", (int)length, (int)size);
  c_memcpy(field, from, length);
}

void fieldOfBytes(xsMachine* the, xsSlot* slot, uint8_t* field, xsUnsignedValue size) {
  void* bytes;
  xsUnsignedValue length;
  xsmcGetBufferReadable(*slot, &bytes, &length);
  fill(the, field, size, bytes, length);
}

void fieldOfString(xsMachine* the, xsSlot* slot, uint8_t* field, xsUnsignedValue size) {
  const char* string = xsmcToString(*slot);
  fill(the, field, size, string, (xsUnsignedValue)c_strlen(string));
}

#endif
