// Takes the place of trunc in Debian's picolibc 1.8, which shifts by more than 63 from 2^63 on and then clears bits that it
// should keep. XS's conversion to integers stands on it. (The boards' C libraries are others.)
#include <math.h>
#include <stdint.h>
#include <string.h>

double trunc(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  int exponent = (int)((bits >> 52) & 0x7FF) - 0x3FF;
  if (exponent >= 52) return value;  // whole, infinite or NaN
  bits &= (exponent < 0) ? (uint64_t)1 << 63 : ~((((uint64_t)1 << 52) - 1) >> exponent);
  memcpy(&value, &bits, sizeof value);
  return value;
}
