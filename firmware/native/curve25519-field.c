// Arithmetic modulo 2^255 - 19: curve25519-field.h says how numbers are kept.
#include "curve25519-field.h"

#include <string.h>

#include "curve25519-flash.h"

#define LIMB_BITS 13
#define LIMB_MASK 0x1fffu
#define TOP_BITS 8  // of the last limb, up to bit 255
#define TOP_MASK 0xffu
#define WRAP 19u                   // 2^255 = 19
#define LIMB_WRAP (WRAP << 5)      // 2^260 = 608
#define PRODUCT_LIMBS (2 * FIELD_LIMBS)

// Takes back what lies at bit 255 and above: in the last limb, and `over`, which counts 2^260s (below 2^22).
IN_FLASH static void fold(Field* r, uint32_t over) {
  uint32_t carry = WRAP * ((over << (LIMB_BITS - TOP_BITS)) | (r->limb[FIELD_LIMBS - 1] >> TOP_BITS));
  r->limb[FIELD_LIMBS - 1] &= TOP_MASK;
  for (int i = 0; i < FIELD_LIMBS; i++) {
    carry += r->limb[i];
    r->limb[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
}

IN_FLASH void fieldSmall(Field* r, uint16_t value) {
  memset(r, 0, sizeof *r);
  r->limb[0] = value;
}

IN_FLASH void fieldDecode(Field* r, const uint8_t bytes[32]) {
  uint32_t buffer = 0;
  int bits = 0;
  for (int i = 0, limb = 0; i < 32; i++) {
    buffer |= (uint32_t)bytes[i] << bits;
    bits += 8;
    if (bits >= LIMB_BITS) {
      r->limb[limb++] = buffer & LIMB_MASK;
      buffer >>= LIMB_BITS;
      bits -= LIMB_BITS;
    }
  }
  r->limb[FIELD_LIMBS - 1] = buffer & TOP_MASK;
}

IN_FLASH void fieldEncode(uint8_t bytes[32], const Field* a) {
  // The value is below 2p: it is p or more exactly where adding 19 reaches bit 255.
  uint32_t carry = WRAP;
  for (int i = 0; i < FIELD_LIMBS - 1; i++) carry = (carry + a->limb[i]) >> LIMB_BITS;
  carry = WRAP * ((carry + a->limb[FIELD_LIMBS - 1]) >> TOP_BITS);
  uint32_t buffer = 0;
  int bits = 0;
  for (int i = 0, limb = 0; i < 32; i++) {
    if (bits < 8) {
      carry += a->limb[limb++];
      buffer |= (carry & LIMB_MASK) << bits;
      carry >>= LIMB_BITS;
      bits += LIMB_BITS;
    }
    bytes[i] = (uint8_t)buffer;
    buffer >>= 8;
    bits -= 8;
  }
  bytes[31] &= 0x7f;
}

IN_FLASH void fieldConstant(Field* r, const FieldConstant* constant) {
  uint8_t bytes[32];
  for (unsigned i = 0; i < 8; i++) {
    uint32_t word = flashWord(constant->word, i);
    for (unsigned j = 0; j < 4; j++) bytes[4 * i + j] = (uint8_t)(word >> (8 * j));
  }
  fieldDecode(r, bytes);
}

IN_FLASH void fieldAdd(Field* r, const Field* a, const Field* b) {
  uint32_t carry = 0;
  for (int i = 0; i < FIELD_LIMBS; i++) {
    carry += (uint32_t)a->limb[i] + b->limb[i];
    r->limb[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  fold(r, carry);
}

IN_FLASH void fieldSubtract(Field* r, const Field* a, const Field* b) {
  // 4p, spread so that no limb of it is below the greatest that a limb of b can be: 16308, 18 times 16382, 1022.
  uint32_t carry = 0, spread = 16308;
  for (int i = 0; i < FIELD_LIMBS; i++) {
    carry += spread + a->limb[i] - b->limb[i];
    r->limb[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
    spread = i < FIELD_LIMBS - 2 ? 16382 : 1022;
  }
  fold(r, carry);
}

IN_FLASH void fieldScale(Field* r, const Field* a, uint32_t factor) {
  uint32_t carry = 0;
  for (int i = 0; i < FIELD_LIMBS; i++) {
    carry += factor * a->limb[i];
    r->limb[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  fold(r, carry);
}

// ---- products ----------------------------------------------------------------------------------------------------

// Sum of up[i] * down[-i]: at most 20 products of 26 bits.
IN_FLASH static uint32_t column(const uint16_t* up, const uint16_t* down, int count) {
  uint32_t sum = 0;
  while (count-- > 0) sum += (uint32_t)*up++ * *down--;
  return sum;
}

IN_FLASH static int columnStart(int index) { return index < FIELD_LIMBS ? 0 : index - (FIELD_LIMBS - 1); }

IN_FLASH static int columnCount(int index) { return index < FIELD_LIMBS ? index + 1 : PRODUCT_LIMBS - 1 - index; }

IN_FLASH static void reduce(Field* r, const uint16_t product[PRODUCT_LIMBS]) {
  uint32_t carry = 0;
  for (int i = 0; i < FIELD_LIMBS; i++) {
    carry += product[i] + LIMB_WRAP * product[i + FIELD_LIMBS];
    r->limb[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  fold(r, carry);
}

IN_FLASH void fieldMultiply(Field* r, const Field* a, const Field* b) {
  uint16_t product[PRODUCT_LIMBS];
  uint32_t carry = 0;
  for (int i = 0; i < PRODUCT_LIMBS - 1; i++) {
    int start = columnStart(i);
    carry += column(a->limb + start, b->limb + (i - start), columnCount(i));
    product[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  product[PRODUCT_LIMBS - 1] = (uint16_t)carry;
  reduce(r, product);
}

IN_FLASH void fieldSquare(Field* r, const Field* a) {
  uint16_t product[PRODUCT_LIMBS];
  uint32_t carry = 0;
  for (int i = 0; i < PRODUCT_LIMBS - 1; i++) {
    int start = columnStart(i);
    carry += 2 * column(a->limb + start, a->limb + (i - start), columnCount(i) / 2);
    if (i % 2 == 0) carry += (uint32_t)a->limb[i / 2] * a->limb[i / 2];
    product[i] = carry & LIMB_MASK;
    carry >>= LIMB_BITS;
  }
  product[PRODUCT_LIMBS - 1] = (uint16_t)carry;
  reduce(r, product);
}

// ---- powers ------------------------------------------------------------------------------------------------------

IN_FLASH static void squareTimes(Field* r, int times) {
  while (times-- > 0) fieldSquare(r, r);
}

// The exponent is 2^252 - 3, four times 2^250 - 1 and one: 250 ones are made by doubling their number.
IN_FLASH void fieldPowerForRoot(Field* r, const Field* a) {
  Field half;
  int ones = 1;
  *r = *a;
  for (int bit = 6; bit >= 0; bit--) {
    half = *r;
    squareTimes(r, ones);
    fieldMultiply(r, r, &half);
    ones *= 2;
    if ((250 >> bit) & 1) {
      fieldSquare(r, r);
      fieldMultiply(r, r, a);
      ones++;
    }
  }
  squareTimes(r, 2);
  fieldMultiply(r, r, a);
}

// a^(p - 2): eight times the exponent above and three.
IN_FLASH void fieldInvert(Field* r, const Field* a) {
  Field power, cube;
  fieldPowerForRoot(&power, a);
  squareTimes(&power, 3);
  fieldSquare(&cube, a);
  fieldMultiply(&cube, &cube, a);
  fieldMultiply(r, &power, &cube);
}

// ---- choices -----------------------------------------------------------------------------------------------------

IN_FLASH void fieldSwap(Field* a, Field* b, uint32_t bit) {
  uint16_t mask = (uint16_t)(0 - bit);
  for (int i = 0; i < FIELD_LIMBS; i++) {
    uint16_t change = mask & (a->limb[i] ^ b->limb[i]);
    a->limb[i] ^= change;
    b->limb[i] ^= change;
  }
}

IN_FLASH int fieldEqual(const Field* a, const Field* b) {
  uint8_t left[32], right[32];
  fieldEncode(left, a);
  fieldEncode(right, b);
  return memcmp(left, right, sizeof left) == 0;
}

IN_FLASH int fieldIsOdd(const Field* a) {
  uint8_t bytes[32];
  fieldEncode(bytes, a);
  return bytes[0] & 1;
}
