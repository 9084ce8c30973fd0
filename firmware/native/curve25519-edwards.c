// Points of edwards25519: the formulas of RFC 8032 section 5.1.4 (Hisil, Wong, Carter, Dawson 2008, sections 3.1, 3.3).
#include "curve25519-edwards.h"

#include <string.h>

#include "curve25519-flash.h"

// Section 5.1: d, the base point; a square root of -1.
static const FieldConstant D TABLE_IN_FLASH = {
    {0x135978a3, 0x75eb4dca, 0x4141d8ab, 0x00700a4d, 0x7779e898, 0x8cc74079, 0x2b6ffe73, 0x52036cee}};
static const FieldConstant ROOT_OF_MINUS_ONE TABLE_IN_FLASH = {
    {0x4a0ea0b0, 0xc4ee1b27, 0xad2fe478, 0x2f431806, 0x3dfbd7a7, 0x2b4d0099, 0x4fc1df0b, 0x2b832480}};
static const FieldConstant BASE_X TABLE_IN_FLASH = {
    {0x8f25d51a, 0xc9562d60, 0x9525a7b2, 0x692cc760, 0xfdd6dc5c, 0xc0a4e231, 0xcd6e53fe, 0x216936d3}};
static const FieldConstant BASE_Y TABLE_IN_FLASH = {
    {0x66666658, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666}};

IN_FLASH void pointNeutral(Point* r) {
  fieldSmall(&r->x, 0);
  fieldSmall(&r->y, 1);
  fieldSmall(&r->z, 1);
  fieldSmall(&r->t, 0);
}

IN_FLASH void pointBase(Point* r) {
  fieldConstant(&r->x, &BASE_X);
  fieldConstant(&r->y, &BASE_Y);
  fieldSmall(&r->z, 1);
  fieldMultiply(&r->t, &r->x, &r->y);
}

IN_FLASH static void negate(Field* r, const Field* a) {
  Field zero;
  fieldSmall(&zero, 0);
  fieldSubtract(r, &zero, a);
}

// A square root of u / v, as section 5.1.3 makes it. 0 where there is none.
IN_FLASH static int rootOfRatio(Field* r, const Field* u, const Field* v) {
  Field power, check;
  fieldSquare(&check, v);
  fieldMultiply(&check, &check, v);  // v^3
  fieldMultiply(r, u, &check);       // u v^3
  fieldSquare(&check, &check);
  fieldMultiply(&check, &check, v);
  fieldMultiply(&check, &check, u);  // u v^7
  fieldPowerForRoot(&power, &check);
  fieldMultiply(r, r, &power);
  fieldSquare(&check, r);
  fieldMultiply(&check, &check, v);
  if (fieldEqual(&check, u)) return 1;
  negate(&check, &check);
  if (!fieldEqual(&check, u)) return 0;
  fieldConstant(&power, &ROOT_OF_MINUS_ONE);
  fieldMultiply(r, r, &power);
  return 1;
}

IN_FLASH int pointDecode(Point* r, const uint8_t bytes[32]) {
  uint8_t again[32];
  int odd = bytes[31] >> 7;
  fieldDecode(&r->y, bytes);
  fieldSmall(&r->z, 1);
  fieldSquare(&r->x, &r->y);
  fieldConstant(&r->t, &D);
  fieldMultiply(&r->t, &r->t, &r->x);
  fieldAdd(&r->t, &r->t, &r->z);       // d y^2 + 1
  fieldSubtract(&r->y, &r->x, &r->z);  // y^2 - 1, for a moment
  if (!rootOfRatio(&r->x, &r->y, &r->t)) return 0;
  if (fieldIsOdd(&r->x) != odd) negate(&r->x, &r->x);
  fieldDecode(&r->y, bytes);
  fieldMultiply(&r->t, &r->x, &r->y);
  // What is no encoding of its own (y of p or more, an x of zero that is to be odd) becomes other bytes.
  fieldEncode(again, &r->y);
  again[31] |= (uint8_t)(fieldIsOdd(&r->x) << 7);
  return memcmp(again, bytes, sizeof again) == 0;
}

IN_FLASH void pointEncode(uint8_t bytes[32], const Point* a) {
  Field inverse, x;
  fieldInvert(&inverse, &a->z);
  fieldMultiply(&x, &a->x, &inverse);
  fieldMultiply(&inverse, &a->y, &inverse);
  fieldEncode(bytes, &inverse);
  bytes[31] |= (uint8_t)(fieldIsOdd(&x) << 7);
}

IN_FLASH void pointNegate(Point* r, const Point* a) {
  *r = *a;
  negate(&r->x, &a->x);
  negate(&r->t, &a->t);
}

// The end of both formulas: from E, F, G and H.
IN_FLASH static void join(Point* r, const Field* e, const Field* f, const Field* g, const Field* h) {
  fieldMultiply(&r->x, e, f);
  fieldMultiply(&r->y, g, h);
  fieldMultiply(&r->t, e, h);
  fieldMultiply(&r->z, f, g);
}

IN_FLASH void pointAdd(Point* r, const Point* a, const Point* b) {
  Field e, f, g, h;
  fieldSubtract(&e, &a->y, &a->x);
  fieldSubtract(&f, &b->y, &b->x);
  fieldMultiply(&e, &e, &f);  // A
  fieldAdd(&g, &a->y, &a->x);
  fieldAdd(&f, &b->y, &b->x);
  fieldMultiply(&g, &g, &f);  // B
  fieldAdd(&h, &g, &e);
  fieldSubtract(&e, &g, &e);
  fieldConstant(&f, &D);
  fieldMultiply(&f, &f, &a->t);
  fieldMultiply(&f, &f, &b->t);
  fieldAdd(&f, &f, &f);  // C
  fieldMultiply(&g, &a->z, &b->z);
  fieldAdd(&g, &g, &g);  // D
  Field c = f;
  fieldSubtract(&f, &g, &c);
  fieldAdd(&g, &g, &c);
  join(r, &e, &f, &g, &h);
}

IN_FLASH void pointDouble(Point* r, const Point* a) {
  Field e, f, g, h;
  fieldSquare(&f, &a->x);  // A
  fieldSquare(&g, &a->y);  // B
  fieldAdd(&h, &f, &g);
  fieldAdd(&e, &a->x, &a->y);
  fieldSquare(&e, &e);
  fieldSubtract(&e, &h, &e);
  fieldSubtract(&g, &f, &g);
  fieldSquare(&f, &a->z);
  fieldAdd(&f, &f, &f);  // C
  fieldAdd(&f, &f, &g);
  join(r, &e, &f, &g, &h);
}

IN_FLASH int pointHasSmallOrder(const Point* a) {
  Point eight;
  Field zero;
  pointDouble(&eight, a);
  pointDouble(&eight, &eight);
  pointDouble(&eight, &eight);
  fieldSmall(&zero, 0);
  return fieldEqual(&eight.x, &zero);  // of (0, 1) and (0, -1) only the first is eight times a point
}
