// Arithmetic modulo 2^255 - 19 (RFC 7748 section 4.1) for chips whose fast product is 16 x 16 -> 32 bits.
//
// Twenty limbs of 13 bits: a column of twenty products stays below 2^32, so no carry is taken inside of it and no
// product of 64 bits is needed, which lx106 does not have. All functions take the same steps whatever the values.
#ifndef BROOME_CURVE25519_FIELD_H
#define BROOME_CURVE25519_FIELD_H

#include <stdint.h>

#define FIELD_LIMBS 20

// Little-endian. Between calls each limb is below 2^13 and the last is at most 2^8: the value is below 2p, not unique.
typedef struct {
  uint16_t limb[FIELD_LIMBS];
} Field;

// 32 bytes, little-endian, as eight words, least significant first.
typedef struct {
  uint32_t word[8];
} FieldConstant;

// The top bit is ignored; any value below 2^255 is taken.
void fieldDecode(Field* r, const uint8_t bytes[32]);
// The one representation below p.
void fieldEncode(uint8_t bytes[32], const Field* a);
// A constant that may lie in flash.
void fieldConstant(Field* r, const FieldConstant* constant);
void fieldSmall(Field* r, uint16_t value);  // below 2^13

// `r` may be any of the arguments.
void fieldAdd(Field* r, const Field* a, const Field* b);
void fieldSubtract(Field* r, const Field* a, const Field* b);
void fieldMultiply(Field* r, const Field* a, const Field* b);
void fieldSquare(Field* r, const Field* a);
void fieldScale(Field* r, const Field* a, uint32_t factor);  // below 2^17

// 1 / a, and 0 for 0.
void fieldInvert(Field* r, const Field* a);
// a^((p - 5) / 8), of which square roots are made (RFC 8032 section 5.1.3); `r` and `a` differ.
void fieldPowerForRoot(Field* r, const Field* a);

// Exchanges `a` and `b` where `bit` is 1 and not where it is 0, in the same steps.
void fieldSwap(Field* a, Field* b, uint32_t bit);

// For public values only: they end as soon as they know.
int fieldEqual(const Field* a, const Field* b);
// Lowest bit of the one representation: the sign of RFC 8032.
int fieldIsOdd(const Field* a);

#endif
