// Ed25519 verification (RFC 8032 section 5.1.7), strict: curve25519.h says what is refused.
#include <string.h>

#include "curve25519-edwards.h"
#include "curve25519-flash.h"
#include "curve25519-order.h"
#include "curve25519-sha512.h"
#include "curve25519.h"

#define SCALAR_BITS 253

// SHA-512(R, key, message) modulo L.
IN_FLASH static void challenge(Scalar* h, const uint8_t r[32], const uint8_t key[32], const uint8_t* message, size_t size,
                               Curve25519Tick tick) {
  Sha512 hash;
  uint8_t digest[64];
  sha512Begin(&hash, tick);
  sha512Update(&hash, r, 32);
  sha512Update(&hash, key, 32);
  sha512Update(&hash, message, size);
  sha512End(&hash, digest);
  scalarReduce(h, digest);
}

// [s]B + [h]P: both scalars are walked at once, and one point in four is added (Shamir's trick).
IN_FLASH static void addMultiples(Point* r, const Scalar* s, const Scalar* h, const Point* p, Curve25519Tick tick) {
  Point base, both;
  pointBase(&base);
  pointAdd(&both, &base, p);
  pointNeutral(r);
  for (int i = SCALAR_BITS - 1; i >= 0; i--) {
    int inS = scalarBit(s, i), inH = scalarBit(h, i);
    pointDouble(r, r);
    if (inS || inH) pointAdd(r, r, inS ? (inH ? &both : &base) : p);
    if (tick) tick();
  }
}

IN_FLASH int ed25519Verify(const uint8_t key[32], const uint8_t* message, size_t size, const uint8_t signature[64],
                           Curve25519Tick tick) {
  Scalar s, h;
  Point p, sum;
  uint8_t r[32];
  if (!scalarDecode(&s, signature + 32)) return 0;
  if (!pointDecode(&p, key) || pointHasSmallOrder(&p)) return 0;
  if (tick) tick();
  challenge(&h, signature, key, message, size, tick);
  if (tick) tick();
  pointNegate(&p, &p);
  addMultiples(&sum, &s, &h, &p, tick);
  pointEncode(r, &sum);
  return memcmp(r, signature, sizeof r) == 0;
}
