// From the program's values to the fixed fields of a vendor's structures, which the caller has filled with zeros.
#ifndef BROOME_FIELD_H
#define BROOME_FIELD_H

#include "xsmc.h"

// Copies the bytes in `slot` (a Uint8Array or ArrayBuffer); throws RangeError where they are more than `size`.
void fieldOfBytes(xsMachine* the, xsSlot* slot, uint8_t* field, xsUnsignedValue size);

// The same of a string, as UTF-8 and without the zero behind it: the 64 digits of a key fill their field.
void fieldOfString(xsMachine* the, xsSlot* slot, uint8_t* field, xsUnsignedValue size);

#endif
