// SHA-512 (FIPS 180-4 section 6.4), with a schedule of sixteen words that is extended in place.
#include "curve25519-sha512.h"

#include <string.h>

#include "curve25519-flash.h"

#define BLOCK_SIZE 128

// Section 5.3.5: high and low halves.
static const uint32_t START[16] TABLE_IN_FLASH = {
    0x6a09e667, 0xf3bcc908, 0xbb67ae85, 0x84caa73b, 0x3c6ef372, 0xfe94f82b, 0xa54ff53a, 0x5f1d36f1,
    0x510e527f, 0xade682d1, 0x9b05688c, 0x2b3e6c1f, 0x1f83d9ab, 0xfb41bd6b, 0x5be0cd19, 0x137e2179,
};

// Section 4.2.3: high and low halves.
static const uint32_t ROUND[160] TABLE_IN_FLASH = {
    0x428a2f98, 0xd728ae22, 0x71374491, 0x23ef65cd, 0xb5c0fbcf, 0xec4d3b2f, 0xe9b5dba5, 0x8189dbbc,
    0x3956c25b, 0xf348b538, 0x59f111f1, 0xb605d019, 0x923f82a4, 0xaf194f9b, 0xab1c5ed5, 0xda6d8118,
    0xd807aa98, 0xa3030242, 0x12835b01, 0x45706fbe, 0x243185be, 0x4ee4b28c, 0x550c7dc3, 0xd5ffb4e2,
    0x72be5d74, 0xf27b896f, 0x80deb1fe, 0x3b1696b1, 0x9bdc06a7, 0x25c71235, 0xc19bf174, 0xcf692694,
    0xe49b69c1, 0x9ef14ad2, 0xefbe4786, 0x384f25e3, 0x0fc19dc6, 0x8b8cd5b5, 0x240ca1cc, 0x77ac9c65,
    0x2de92c6f, 0x592b0275, 0x4a7484aa, 0x6ea6e483, 0x5cb0a9dc, 0xbd41fbd4, 0x76f988da, 0x831153b5,
    0x983e5152, 0xee66dfab, 0xa831c66d, 0x2db43210, 0xb00327c8, 0x98fb213f, 0xbf597fc7, 0xbeef0ee4,
    0xc6e00bf3, 0x3da88fc2, 0xd5a79147, 0x930aa725, 0x06ca6351, 0xe003826f, 0x14292967, 0x0a0e6e70,
    0x27b70a85, 0x46d22ffc, 0x2e1b2138, 0x5c26c926, 0x4d2c6dfc, 0x5ac42aed, 0x53380d13, 0x9d95b3df,
    0x650a7354, 0x8baf63de, 0x766a0abb, 0x3c77b2a8, 0x81c2c92e, 0x47edaee6, 0x92722c85, 0x1482353b,
    0xa2bfe8a1, 0x4cf10364, 0xa81a664b, 0xbc423001, 0xc24b8b70, 0xd0f89791, 0xc76c51a3, 0x0654be30,
    0xd192e819, 0xd6ef5218, 0xd6990624, 0x5565a910, 0xf40e3585, 0x5771202a, 0x106aa070, 0x32bbd1b8,
    0x19a4c116, 0xb8d2d0c8, 0x1e376c08, 0x5141ab53, 0x2748774c, 0xdf8eeb99, 0x34b0bcb5, 0xe19b48a8,
    0x391c0cb3, 0xc5c95a63, 0x4ed8aa4a, 0xe3418acb, 0x5b9cca4f, 0x7763e373, 0x682e6ff3, 0xd6b2b8a3,
    0x748f82ee, 0x5defb2fc, 0x78a5636f, 0x43172f60, 0x84c87814, 0xa1f0ab72, 0x8cc70208, 0x1a6439ec,
    0x90befffa, 0x23631e28, 0xa4506ceb, 0xde82bde9, 0xbef9a3f7, 0xb2c67915, 0xc67178f2, 0xe372532b,
    0xca273ece, 0xea26619c, 0xd186b8c7, 0x21c0c207, 0xeada7dd6, 0xcde0eb1e, 0xf57d4f7f, 0xee6ed178,
    0x06f067aa, 0x72176fba, 0x0a637dc5, 0xa2c898a6, 0x113f9804, 0xbef90dae, 0x1b710b35, 0x131c471b,
    0x28db77f5, 0x23047d84, 0x32caab7b, 0x40c72493, 0x3c9ebe0a, 0x15c9bebc, 0x431d67c4, 0x9c100d4c,
    0x4cc5d4be, 0xcb3e42b6, 0x597f299c, 0xfc657e2a, 0x5fcb6fab, 0x3ad6faec, 0x6c44198c, 0x4a475817,
};

IN_FLASH static uint64_t tableWord(const uint32_t* table, unsigned index) {
  return (uint64_t)flashWord(table, 2 * index) << 32 | flashWord(table, 2 * index + 1);
}

IN_FLASH static uint64_t rotate(uint64_t x, int by) { return x >> by | x << (64 - by); }

IN_FLASH static uint64_t load(const uint8_t* p) {
  uint32_t high = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
  uint32_t low = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
  return (uint64_t)high << 32 | low;
}

IN_FLASH static void store(uint8_t* p, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8) p[i] = (uint8_t)value;
}

// W[t + 16] takes the place of W[t].
IN_FLASH static void extend(uint64_t w[16], unsigned t) {
  uint64_t one = w[(t + 1) & 15], fourteen = w[(t + 14) & 15];
  uint64_t small0 = rotate(one, 1) ^ rotate(one, 8) ^ one >> 7;
  uint64_t small1 = rotate(fourteen, 19) ^ rotate(fourteen, 61) ^ fourteen >> 6;
  w[t & 15] += small0 + w[(t + 9) & 15] + small1;
}

IN_FLASH static void compress(Sha512* hash) {
  uint64_t w[16], s[8];
  for (int i = 0; i < 16; i++) w[i] = load(hash->block + 8 * i);
  memcpy(s, hash->state, sizeof s);
  for (unsigned t = 0; t < 80; t++) {
    uint64_t a = s[0], e = s[4];
    uint64_t choice = (e & s[5]) ^ (~e & s[6]);
    uint64_t majority = (a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]);
    uint64_t t1 = s[7] + (rotate(e, 14) ^ rotate(e, 18) ^ rotate(e, 41)) + choice + tableWord(ROUND, t) + w[t & 15];
    uint64_t t2 = (rotate(a, 28) ^ rotate(a, 34) ^ rotate(a, 39)) + majority;
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += t1;
    s[0] = t1 + t2;
    extend(w, t);
  }
  for (int i = 0; i < 8; i++) hash->state[i] += s[i];
  if (hash->tick) hash->tick();
}

IN_FLASH void sha512Begin(Sha512* hash, Curve25519Tick tick) {
  for (unsigned i = 0; i < 8; i++) hash->state[i] = tableWord(START, i);
  hash->size = 0;
  hash->tick = tick;
}

IN_FLASH void sha512Update(Sha512* hash, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    size_t used = hash->size % BLOCK_SIZE;
    size_t part = size < BLOCK_SIZE - used ? size : BLOCK_SIZE - used;
    memcpy(hash->block + used, bytes, part);
    bytes += part;
    size -= part;
    hash->size += part;
    if (used + part == BLOCK_SIZE) compress(hash);
  }
}

IN_FLASH void sha512End(Sha512* hash, uint8_t digest[64]) {
  size_t used = hash->size % BLOCK_SIZE;
  hash->block[used++] = 0x80;
  if (used > BLOCK_SIZE - 16) {
    memset(hash->block + used, 0, BLOCK_SIZE - used);
    compress(hash);
    used = 0;
  }
  memset(hash->block + used, 0, BLOCK_SIZE - used);
  store(hash->block + BLOCK_SIZE - 8, (uint64_t)hash->size << 3);
  compress(hash);
  for (int i = 0; i < 8; i++) store(digest + 8 * i, hash->state[i]);
}
