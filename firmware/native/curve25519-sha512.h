// SHA-512 (FIPS 180-4), as Ed25519 needs it.
#ifndef BROOME_CURVE25519_SHA512_H
#define BROOME_CURVE25519_SHA512_H

#include <stddef.h>
#include <stdint.h>

#include "curve25519.h"

typedef struct {
  uint64_t state[8];
  uint8_t block[128];
  size_t size;  // bytes hashed so far
  Curve25519Tick tick;
} Sha512;

void sha512Begin(Sha512* hash, Curve25519Tick tick);
void sha512Update(Sha512* hash, const uint8_t* bytes, size_t size);
void sha512End(Sha512* hash, uint8_t digest[64]);

#endif
