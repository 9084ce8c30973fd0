// Numbers modulo the order of edwards25519's base point, L = 2^252 + 27742317777372353535851937790883648493.
#ifndef BROOME_CURVE25519_ORDER_H
#define BROOME_CURVE25519_ORDER_H

#include <stdint.h>

// 32 bytes, little-endian, as eight words, least significant first.
typedef struct {
  uint32_t word[8];
} Scalar;

// 0 where the number is not below L.
int scalarDecode(Scalar* r, const uint8_t bytes[32]);
// Of a number of 512 bits, in a time that depends on it.
void scalarReduce(Scalar* r, const uint8_t bytes[64]);
int scalarBit(const Scalar* a, int index);

#endif
