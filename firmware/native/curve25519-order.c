// Numbers modulo L, bit by bit: 512 steps are one part in two hundred of a verification.
#include "curve25519-order.h"

#include <string.h>

#include "curve25519-flash.h"

static const Scalar ORDER TABLE_IN_FLASH = {
    {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0x00000000, 0x00000000, 0x00000000, 0x10000000}};

// Takes L away once, where it is not more than the number. 1 where it was taken.
IN_FLASH static int subtractOrder(Scalar* a) {
  Scalar less;
  uint32_t borrow = 0;
  for (unsigned i = 0; i < 8; i++) {
    uint32_t order = flashWord(ORDER.word, i), word = a->word[i];
    less.word[i] = word - order - borrow;
    borrow = word < order || (borrow && word == order);
  }
  if (borrow) return 0;
  *a = less;
  return 1;
}

IN_FLASH int scalarDecode(Scalar* r, const uint8_t bytes[32]) {
  memset(r, 0, sizeof *r);
  for (int i = 0; i < 32; i++) r->word[i / 4] |= (uint32_t)bytes[i] << (8 * (i % 4));
  return !subtractOrder(r);
}

IN_FLASH void scalarReduce(Scalar* r, const uint8_t bytes[64]) {
  memset(r, 0, sizeof *r);
  for (int bit = 511; bit >= 0; bit--) {
    // Below L, and so below 2^253: twice that and one fits.
    uint32_t carry = (bytes[bit / 8] >> (bit % 8)) & 1u;
    for (int i = 0; i < 8; i++) {
      uint32_t word = r->word[i];
      r->word[i] = word << 1 | carry;
      carry = word >> 31;
    }
    subtractOrder(r);
  }
}

IN_FLASH int scalarBit(const Scalar* a, int index) { return (a->word[index / 32] >> (index % 32)) & 1; }
