// What curve25519 costs on a chip: a line for each measurement, "name value ...", the values in hexadecimal. Result 0 where
// all that was computed is right.
#include <stdbool.h>
#include <string.h>

#include "core.h"
#include "curve25519-field.h"
#include "curve25519.h"

#define STACK_WORDS 2048  // that are painted below the measured call
#define PAINT 0xa5a5a5a5u

// RFC 7748 section 5.2, first vector.
static const uint8_t SCALAR[32] = {0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
                                   0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
                                   0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4};
static const uint8_t POINT[32] = {0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
                                  0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
                                  0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c};
static const uint8_t SHARED[32] = {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                   0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                   0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52};

// RFC 8032 section 7.1, test 3.
static const uint8_t KEY[32] = {0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e,
                                0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16, 0xed, 0x13, 0xba, 0x33,
                                0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25};
static const uint8_t MESSAGE[2] = {0xaf, 0x82};
static const uint8_t SIGNATURE[64] = {
    0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a, 0xbe, 0x01, 0xa3,
    0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac,
    0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59,
    0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a};

// ---- output ------------------------------------------------------------------------------------------------------

static void printText(const char* text) { coreWrite(coreOutput(), text, strlen(text)); }

static void printNumber(uint32_t value) {
  char digits[9] = " ";
  for (int i = 0; i < 8; i++) digits[i + 1] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  coreWrite(coreOutput(), digits, sizeof digits);
}

// ---- measuring ---------------------------------------------------------------------------------------------------

static uint32_t lastTick, longestGap;

static void tick(void) {
  uint32_t now = coreCount();
  if (now - lastTick > longestGap) longestGap = now - lastTick;
  lastTick = now;
}

static uint32_t* stackPointer(void) { return __builtin_frame_address(0); }

__attribute__((noinline)) static void paintStack(void) {
  volatile uint32_t* here = stackPointer();
  for (int i = 16; i < STACK_WORDS; i++) here[-i] = PAINT;
}

// Bytes below the caller's frame that were written since they were painted.
__attribute__((noinline)) static uint32_t stackUsed(void) {
  volatile uint32_t* here = stackPointer();
  int i = STACK_WORDS - 1;
  while (i > 16 && here[-i] == PAINT) i--;
  return (uint32_t)i * 4;
}

static bool isRight = true;

// A line: instructions, the longest time between two ticks in instructions, stack in bytes.
__attribute__((noinline)) static void measure(const char* name, bool (*run)(void)) {
  paintStack();
  longestGap = 0;
  uint32_t started = lastTick = coreCount();
  bool good = run();
  tick();
  uint32_t count = lastTick - started;
  uint32_t stack = stackUsed();
  isRight = isRight && good;
  printText(name);
  printNumber(count);
  printNumber(longestGap);
  printNumber(stack);
  printText("\n");
}

static uint8_t scalar[32];

static bool runX25519(void) {
  uint8_t result[32];
  x25519(result, SCALAR, POINT, tick);
  return memcmp(result, SHARED, sizeof result) == 0;
}

static bool runOtherScalar(void) {
  x25519(scalar, scalar, POINT, tick);
  return true;
}

static bool runVerify(void) { return ed25519Verify(KEY, MESSAGE, sizeof MESSAGE, SIGNATURE, tick) == 1; }

static bool runRefusal(void) { return ed25519Verify(KEY, MESSAGE, 1, SIGNATURE, tick) == 0; }

static bool runMultiply(void) {
  static Field a = {{5}}, b = {{7}};
  fieldMultiply(&a, &a, &b);
  return true;
}

static bool runSquare(void) {
  static Field a = {{5}};
  fieldSquare(&a, &a);
  return true;
}

int main(void) {
  measure("x25519", runX25519);
  // Secrets of all sorts: the count has to be the same for each.
  for (int i = 0; i < 4; i++) {
    memset(scalar, i == 0 ? 0 : i == 1 ? 0xff : 0x55, sizeof scalar);
    if (i == 3) memcpy(scalar, SCALAR, sizeof scalar);
    measure("x25519-secret", runOtherScalar);
  }
  measure("ed25519", runVerify);
  measure("ed25519-refused", runRefusal);
  measure("multiply", runMultiply);
  measure("square", runSquare);
  return isRight ? 0 : 1;
}
