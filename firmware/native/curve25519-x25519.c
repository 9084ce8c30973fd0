// X25519: the Montgomery ladder of RFC 7748 section 5, in its letters.
#include "curve25519-field.h"
#include "curve25519-flash.h"
#include "curve25519.h"

#define A24 121665u

typedef struct {
  Field x1, x2, z2, x3, z3;
} Ladder;

IN_FLASH static void ladderStep(Ladder* l) {
  Field a, b, c, d;
  fieldAdd(&a, &l->x2, &l->z2);
  fieldSubtract(&b, &l->x2, &l->z2);
  fieldAdd(&c, &l->x3, &l->z3);
  fieldSubtract(&d, &l->x3, &l->z3);
  fieldMultiply(&d, &d, &a);  // DA
  fieldMultiply(&c, &c, &b);  // CB
  fieldSquare(&a, &a);        // AA
  fieldSquare(&b, &b);        // BB
  fieldAdd(&l->x3, &d, &c);
  fieldSquare(&l->x3, &l->x3);
  fieldSubtract(&l->z3, &d, &c);
  fieldSquare(&l->z3, &l->z3);
  fieldMultiply(&l->z3, &l->z3, &l->x1);
  fieldMultiply(&l->x2, &a, &b);
  fieldSubtract(&b, &a, &b);  // E
  fieldScale(&l->z2, &b, A24);
  fieldAdd(&l->z2, &l->z2, &a);
  fieldMultiply(&l->z2, &l->z2, &b);
}

// Bit `index` of the scalar as section 5 clamps it.
IN_FLASH static uint32_t clampedBit(const uint8_t scalar[32], int index) {
  if (index == 254) return 1;
  if (index < 3) return 0;
  return (scalar[index / 8] >> (index % 8)) & 1u;
}

IN_FLASH void x25519(uint8_t result[32], const uint8_t scalar[32], const uint8_t point[32], Curve25519Tick tick) {
  Ladder l;
  fieldDecode(&l.x1, point);
  fieldSmall(&l.x2, 1);
  fieldSmall(&l.z2, 0);
  l.x3 = l.x1;
  fieldSmall(&l.z3, 1);
  uint32_t swapped = 0;
  for (int i = 254; i >= 0; i--) {
    uint32_t bit = clampedBit(scalar, i);
    fieldSwap(&l.x2, &l.x3, bit ^ swapped);
    fieldSwap(&l.z2, &l.z3, bit ^ swapped);
    swapped = bit;
    ladderStep(&l);
    if (tick) tick();
  }
  // The clamped scalar ends in a zero: nothing is swapped now.
  fieldInvert(&l.z2, &l.z2);
  if (tick) tick();
  fieldMultiply(&l.x2, &l.x2, &l.z2);
  fieldEncode(result, &l.x2);
}
