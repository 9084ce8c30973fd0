// What Debian's libgcc for lx106 lacks (the part that is written in assembler): integer division, 64-bit products, and
// arithmetic of IEEE 754 binary64, rounded to nearest, ties to even. Names and meaning: GCC internals, "libgcc".
#include <stdint.h>
#include <string.h>

typedef uint64_t Bits;  // a double as its bits, or a significand

// ---- integers ----------------------------------------------------------------------------------------------------

static uint32_t divide(uint32_t a, uint32_t b, uint32_t* rest) {
  uint32_t quotient = 0;
  if (!b) return *rest = a, 0xFFFFFFFFu;
  int shift = (a >= b) ? __builtin_clz(b) - __builtin_clz(a) : -1;
  for (; shift >= 0; shift--) {
    quotient <<= 1;
    if ((a >> shift) < b) continue;
    a -= b << shift;
    quotient |= 1;
  }
  return *rest = a, quotient;
}

uint32_t __udivsi3(uint32_t a, uint32_t b) {
  uint32_t rest;
  return divide(a, b, &rest);
}

uint32_t __umodsi3(uint32_t a, uint32_t b) {
  uint32_t rest;
  divide(a, b, &rest);
  return rest;
}

static uint32_t magnitude(int32_t a) { return (a < 0) ? 0 - (uint32_t)a : (uint32_t)a; }

int32_t __divsi3(int32_t a, int32_t b) {
  uint32_t quotient = __udivsi3(magnitude(a), magnitude(b));
  return (int32_t)(((a < 0) != (b < 0)) ? 0 - quotient : quotient);
}

// Of halves of 16 bits: the chip's product has 32 bits.
uint64_t __umulsidi3(uint32_t a, uint32_t b) {
  uint32_t al = a & 0xFFFF, ah = a >> 16, bl = b & 0xFFFF, bh = b >> 16;
  uint32_t low = al * bl, middle = ah * bl + (low >> 16), other = al * bh + (middle & 0xFFFF);
  uint32_t high = ah * bh + (middle >> 16) + (other >> 16);
  return ((Bits)high << 32) | (other << 16) | (low & 0xFFFF);
}

int64_t __muldi3(int64_t a, int64_t b) {
  uint32_t al = (uint32_t)a, ah = (uint32_t)((Bits)a >> 32), bl = (uint32_t)b, bh = (uint32_t)((Bits)b >> 32);
  return (int64_t)(__umulsidi3(al, bl) + ((Bits)(al * bh + ah * bl) << 32));
}

uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t* rest);

uint64_t __udivdi3(uint64_t a, uint64_t b) { return __udivmoddi4(a, b, NULL); }

uint64_t __umoddi3(uint64_t a, uint64_t b) {
  uint64_t rest;
  __udivmoddi4(a, b, &rest);
  return rest;
}

int64_t __divdi3(int64_t a, int64_t b) {
  uint64_t quotient = __udivdi3((a < 0) ? 0 - (uint64_t)a : (uint64_t)a, (b < 0) ? 0 - (uint64_t)b : (uint64_t)b);
  return (int64_t)(((a < 0) != (b < 0)) ? 0 - quotient : quotient);
}

// ---- binary64 ----------------------------------------------------------------------------------------------------

#define SIGN ((Bits)1 << 63)
#define INFINITE ((Bits)0x7FF << 52)
#define NOT_A_NUMBER ((Bits)0xFFF << 51)
#define FRACTION (((Bits)1 << 52) - 1)
#define HIDDEN ((Bits)1 << 52)
#define BIAS 0x3FF

static Bits bitsOf(double value) {
  Bits bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static double valueOf(Bits bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static int isNaN(Bits a) { return (a & ~SIGN) > INFINITE; }
static int isInfinite(Bits a) { return (a & ~SIGN) == INFINITE; }

// Shifts right; what falls out leaves a mark in the lowest bit.
static Bits shiftRight(Bits a, int count) {
  if (count <= 0) return a;
  if (count > 63) return a != 0;
  return (a >> count) | ((a << (64 - count)) != 0);
}

// `significand`: one in bit 62 (or lower for a subnormal, with exponent 0), ten bits to be rounded. `exponent`: the biased
// one less 1, because the one in bit 62 is added to it.
static double pack(Bits sign, int exponent, Bits significand) {
  if (exponent < 0) {
    significand = shiftRight(significand, -exponent);
    exponent = 0;
  }
  Bits rounded = (significand + 0x200) >> 10;
  if ((significand & 0x3FF) == 0x200) rounded &= ~(Bits)1;
  if ((exponent >= 0x7FD) && ((exponent > 0x7FD) || (rounded >> 53))) return valueOf(sign | INFINITE);
  return valueOf(sign + ((Bits)exponent << 52) + rounded);
}

static double normalizeAndPack(Bits sign, int exponent, Bits significand) {
  int shift = __builtin_clzll(significand) - 1;
  return pack(sign, exponent - shift, significand << shift);
}

// Exponent and significand with its one in bit 52, of a number that is neither zero, infinite nor NaN.
static Bits unpack(Bits a, int* exponent) {
  Bits significand = a & FRACTION;
  *exponent = (int)((a >> 52) & 0x7FF);
  if (*exponent) return significand | HIDDEN;
  int shift = __builtin_clzll(significand) - 11;
  *exponent = 1 - shift;
  return significand << shift;
}

static double sum(Bits a, Bits b) {
  if (isNaN(a) || isNaN(b)) return valueOf(NOT_A_NUMBER);
  if (isInfinite(a)) return valueOf((isInfinite(b) && (a != b)) ? NOT_A_NUMBER : a);
  if (isInfinite(b)) return valueOf(b);
  if ((a & ~SIGN) < (b & ~SIGN)) {
    Bits c = a;
    a = b;
    b = c;
  }
  Bits sign = a & SIGN;
  int exponent = (int)((a >> 52) & 0x7FF), other = (int)((b >> 52) & 0x7FF);
  Bits large = ((a & FRACTION) | (exponent ? HIDDEN : 0)) << 10;
  Bits small = ((b & FRACTION) | (other ? HIDDEN : 0)) << 10;
  if (!exponent) exponent = 1;
  if (!other) other = 1;
  small = shiftRight(small, exponent - other);
  if (sign == (b & SIGN)) {
    Bits total = large + small;
    if (total >> 63) return pack(sign, exponent, shiftRight(total, 1));
    return pack(sign, exponent - 1, total);
  }
  if (large == small) return 0;
  return normalizeAndPack(sign, exponent - 1, large - small);
}

double __adddf3(double a, double b) { return sum(bitsOf(a), bitsOf(b)); }

double __subdf3(double a, double b) {
  Bits negated = bitsOf(b);
  return sum(bitsOf(a), isNaN(negated) ? negated : negated ^ SIGN);
}

// The upper 64 bits of the product; a mark in the lowest where the lower ones are not zero.
static Bits multiplyHigh(Bits a, Bits b) {
  uint32_t al = (uint32_t)a, ah = (uint32_t)(a >> 32), bl = (uint32_t)b, bh = (uint32_t)(b >> 32);
  Bits low = __umulsidi3(al, bl), one = __umulsidi3(ah, bl), two = __umulsidi3(al, bh);
  Bits middle = (low >> 32) + (uint32_t)one + (uint32_t)two;
  Bits high = __umulsidi3(ah, bh) + (one >> 32) + (two >> 32) + (middle >> 32);
  return high | (((uint32_t)middle | (uint32_t)low) != 0);
}

double __muldf3(double x, double y) {
  Bits a = bitsOf(x), b = bitsOf(y), sign = (a ^ b) & SIGN;
  if (isNaN(a) || isNaN(b)) return valueOf(NOT_A_NUMBER);
  int zero = !(a & ~SIGN) || !(b & ~SIGN);
  if (isInfinite(a) || isInfinite(b)) return valueOf(zero ? NOT_A_NUMBER : sign | INFINITE);
  if (zero) return valueOf(sign);
  int exponent, other;
  Bits first = unpack(a, &exponent) << 10, second = unpack(b, &other) << 11;
  Bits product = multiplyHigh(first, second);
  exponent += other - BIAS;
  if (!(product >> 62)) {
    product <<= 1;
    exponent--;
  }
  return pack(sign, exponent, product);
}

double __divdf3(double x, double y) {
  Bits a = bitsOf(x), b = bitsOf(y), sign = (a ^ b) & SIGN;
  if (isNaN(a) || isNaN(b)) return valueOf(NOT_A_NUMBER);
  if (isInfinite(a)) return valueOf(isInfinite(b) ? NOT_A_NUMBER : sign | INFINITE);
  if (isInfinite(b)) return valueOf(sign);
  if (!(b & ~SIGN)) return valueOf((a & ~SIGN) ? sign | INFINITE : NOT_A_NUMBER);
  if (!(a & ~SIGN)) return valueOf(sign);
  int exponent, other;
  Bits rest = unpack(a, &exponent) << 10, divisor = unpack(b, &other) << 11, quotient = 0;
  exponent += BIAS - 2 - other;
  if (rest << 1 >= divisor) {
    rest >>= 1;
    exponent++;
  }
  for (int i = 0; i < 64; i++) {
    int carry = (int)(rest >> 63);
    rest <<= 1;
    quotient <<= 1;
    if (!carry && (rest < divisor)) continue;
    rest -= divisor;
    quotient |= 1;
  }
  return pack(sign, exponent, quotient | (rest != 0));
}

// ---- conversions -------------------------------------------------------------------------------------------------

double __floatunsidf(uint32_t value) {
  if (!value) return 0;
  int shift = __builtin_clz(value);
  return valueOf(((Bits)(BIAS + 30 - shift) << 52) + ((Bits)value << (shift + 21)));
}

double __floatsidf(int32_t value) {
  double result = __floatunsidf(magnitude(value));
  return (value < 0) ? valueOf(bitsOf(result) | SIGN) : result;
}

// Towards zero; what is too large becomes `limit`.
static uint32_t whole(Bits a, uint32_t limit) {
  int exponent = (int)((a >> 52) & 0x7FF) - BIAS;
  if (exponent < 0) return 0;
  if (exponent > 31) return limit;
  uint32_t value = (uint32_t)(((a & FRACTION) | HIDDEN) >> (52 - exponent));
  return (value > limit) ? limit : value;
}

uint32_t __fixunsdfsi(double value) {
  Bits bits = bitsOf(value);
  return (bits & SIGN) ? 0 : whole(bits, 0xFFFFFFFFu);
}

int32_t __fixdfsi(double value) {
  Bits bits = bitsOf(value);
  if (bits & SIGN) return (int32_t)(0 - whole(bits, 0x80000000u));
  return (int32_t)whole(bits, 0x7FFFFFFFu);
}

double __extendsfdf2(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  Bits sign = (Bits)(bits >> 31) << 63, fraction = bits & 0x7FFFFF;
  int exponent = (int)((bits >> 23) & 0xFF);
  if (exponent == 0xFF) return valueOf(fraction ? NOT_A_NUMBER : sign | INFINITE);
  if (exponent) return valueOf(sign | ((Bits)(exponent + BIAS - 127) << 52) | (fraction << 29));
  if (!fraction) return valueOf(sign);
  return normalizeAndPack(sign, BIAS - 127, fraction << 39);
}

float __truncdfsf2(double value) {
  Bits bits = bitsOf(value);
  uint32_t result = (uint32_t)(bits >> 63) << 31;
  int exponent = (int)((bits >> 52) & 0x7FF) - BIAS + 127;
  if (isNaN(bits)) {
    result = 0x7FC00000;
  } else if (exponent >= 0xFF) {
    result |= 0x7F800000;
  } else {
    // The one in bit 30, seven bits to be rounded.
    uint32_t significand = (uint32_t)shiftRight((bits & FRACTION) | HIDDEN, 22);
    if (exponent <= 0) significand = (uint32_t)shiftRight(significand, 1 - exponent);
    uint32_t rounded = (significand + 0x40) >> 7;
    if ((significand & 0x7F) == 0x40) rounded &= ~1u;
    result += ((exponent <= 0) ? 0 : (uint32_t)(exponent - 1) << 23) + rounded;
  }
  float single;
  memcpy(&single, &result, sizeof single);
  return single;
}
