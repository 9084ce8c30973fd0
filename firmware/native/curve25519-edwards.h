// Points of edwards25519 in extended coordinates (RFC 8032 section 5.1.4). For public values only.
#ifndef BROOME_CURVE25519_EDWARDS_H
#define BROOME_CURVE25519_EDWARDS_H

#include "curve25519-field.h"

// x = X/Z, y = Y/Z, XY = TZ.
typedef struct {
  Field x, y, z, t;
} Point;

void pointNeutral(Point* r);
void pointBase(Point* r);
// 0 where the bytes are not the one encoding of a point (section 5.1.3, and y below p).
int pointDecode(Point* r, const uint8_t bytes[32]);
void pointEncode(uint8_t bytes[32], const Point* a);
void pointNegate(Point* r, const Point* a);
// Complete: any two points. `r` may be any of the arguments.
void pointAdd(Point* r, const Point* a, const Point* b);
void pointDouble(Point* r, const Point* a);
// 1 where eight times the point is the neutral one.
int pointHasSmallOrder(const Point* a);

#endif
