// The device's curve25519 behind a protocol of lines: a command and its arguments in hexadecimal in, a line of
// hexadecimal out. Under valgrind, secrets are memory without a value: what depends on one is an error.
//
//   x SCALAR POINT             X25519
//   i COUNT                    RFC 7748 section 5.2: COUNT (decimal) iterations from the base point
//   v KEY SIGNATURE [MESSAGE]  1 or 0
//   u KEY SIGNATURE [MESSAGE]  the same, the signature taken for a secret: valgrind has to complain
//   h [MESSAGE]                SHA-512
//   p BYTES                    the point that the bytes are the one encoding of, encoded again; none: 0
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curve25519-edwards.h"
#include "curve25519-sha512.h"
#include "curve25519.h"

#ifdef WITH_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) ((void)0)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) ((void)0)
#endif

#define LINE_LIMIT 20000
#define MESSAGE_LIMIT 8192

static unsigned ticks;

static void tick(void) { ticks++; }

static void fail(const char* why) {
  fprintf(stderr, "driver: %s\n", why);
  exit(2);
}

// Decodes the next argument; returns its bytes. A missing one has none.
static size_t take(char** line, uint8_t* bytes, size_t limit) {
  char* word = strtok_r(NULL, " \n", line);
  size_t size = 0;
  for (; word && word[0] && word[1]; word += 2, size++) {
    unsigned value;
    if (size == limit || sscanf(word, "%2x", &value) != 1) fail("bad argument");
    bytes[size] = (uint8_t)value;
  }
  return size;
}

static void takeExactly(char** line, uint8_t* bytes, size_t size) {
  if (take(line, bytes, size) != size) fail("argument too short");
}

static void print(const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
  putchar('\n');
}

static void exchange(char** line) {
  uint8_t scalar[32], point[32], result[32];
  takeExactly(line, scalar, sizeof scalar);
  takeExactly(line, point, sizeof point);
  VALGRIND_MAKE_MEM_UNDEFINED(scalar, sizeof scalar);
  x25519(result, scalar, point, tick);
  VALGRIND_MAKE_MEM_DEFINED(result, sizeof result);
  print(result, sizeof result);
}

static void iterate(char** line) {
  uint8_t k[32] = {9}, u[32] = {9}, result[32];
  char* word = strtok_r(NULL, " \n", line);
  for (long i = word ? atol(word) : 0; i > 0; i--) {
    x25519(result, k, u, NULL);
    memcpy(u, k, sizeof u);
    memcpy(k, result, sizeof k);
  }
  print(k, sizeof k);
}

static void verify(char** line, bool secret) {
  static uint8_t message[MESSAGE_LIMIT];
  uint8_t key[32], signature[64];
  takeExactly(line, key, sizeof key);
  takeExactly(line, signature, sizeof signature);
  size_t size = take(line, message, sizeof message);
  // A block of exactly that size: valgrind sees a read beyond it.
  uint8_t* exact = malloc(size ? size : 1);
  if (!exact) fail("no memory");
  memcpy(exact, message, size);
  if (secret) VALGRIND_MAKE_MEM_UNDEFINED(signature, sizeof signature);
  ticks = 0;
  int good = ed25519Verify(key, exact, size, signature, tick);
  VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
  free(exact);
  printf("%d\n", good);
}

static void hash(char** line) {
  static uint8_t message[MESSAGE_LIMIT];
  uint8_t digest[64];
  Sha512 state;
  size_t size = take(line, message, sizeof message);
  sha512Begin(&state, NULL);
  // In two parts, of which the first ends anywhere in a block.
  sha512Update(&state, message, size / 3);
  sha512Update(&state, message + size / 3, size - size / 3);
  sha512End(&state, digest);
  print(digest, sizeof digest);
}

static void decode(char** line) {
  uint8_t bytes[32];
  Point point;
  takeExactly(line, bytes, sizeof bytes);
  if (!pointDecode(&point, bytes)) {
    puts("0");
    return;
  }
  pointEncode(bytes, &point);
  print(bytes, sizeof bytes);
}

int main(void) {
  static char line[LINE_LIMIT];
  while (fgets(line, sizeof line, stdin)) {
    char* rest;
    char* command = strtok_r(line, " \n", &rest);
    if (!command) fail("empty line");
    switch (command[0]) {
      case 'x': exchange(&rest); break;
      case 'i': iterate(&rest); break;
      case 'v': verify(&rest, false); break;
      case 'u': verify(&rest, true); break;
      case 'h': hash(&rest); break;
      case 'p': decode(&rest); break;
      default: fail("unknown command");
    }
  }
  return 0;
}
