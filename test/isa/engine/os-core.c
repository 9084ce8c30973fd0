// What the engine's host asks of an operating system (tools/engine/c/os.h), answered on a bare core under QEMU: files of
// the computer stand for the flash and for the two directions of the bus.
#include "os.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "host.h"

// Space for the archive and for the root: what lies in flash on a board.
#define FLASH_SPACE (16u * 1024 * 1024)
#define ARGUMENTS 14
#define ARGUMENT_SIZE 64
#define PAINT 0xA5

static uint8_t gSpace[FLASH_SPACE] __attribute__((aligned(16)));
static size_t gSpaceUsed;
static int gIn = -1, gOut = -1;

// ---- memory ------------------------------------------------------------------------------------------------------

void* osReserve(size_t size) {
  size = (size + 15) & ~(size_t)15;
  if (size > sizeof gSpace - gSpaceUsed) return NULL;
  void* memory = gSpace + gSpaceUsed;
  gSpaceUsed += size;
  return memory;
}

// The cores have no memory management: writes to the root are caught by the runs on a computer.
bool osProtect(void* memory, size_t size, bool writable) {
  (void)memory;
  (void)size;
  (void)writable;
  return true;
}

void osRelease(void* memory, size_t size) {
  (void)memory;
  (void)size;
}

const uint8_t* osMap(const char* file, unsigned long long offset, unsigned long long size, char* error, size_t errorSize) {
  int handle = coreOpen(file, 0);
  uint8_t* bytes = osReserve((size_t)size);
  if (!offset && bytes && (handle >= 0) && (coreRead(handle, bytes, (size_t)size) == (int)size)) return bytes;
  snprintf(error, errorSize, "%s cannot be read", file);
  return NULL;
}

void osUnmap(void) {}

// ---- stack -------------------------------------------------------------------------------------------------------

static unsigned gStackPeak;  // bytes, once the board has gone

static void paintStack(void) {
  char here;
  for (volatile char* p = coreStackBottom; p < &here - 64; p++) *p = (char)PAINT;
}

static unsigned measureStack(void) {
  const char* p = coreStackBottom;
  while ((p < coreStackTop) && (*p == (char)PAINT)) p++;
  return (unsigned)(coreStackTop - p);
}

// ---- bus ---------------------------------------------------------------------------------------------------------

// The first frame is the first thing that the device's machine does: what made it is no part of a board's work.
bool osWrite(const uint8_t* bytes, size_t size) {
  static bool running;
  if (!running) paintStack();
  running = true;
  return coreWrite(gOut, bytes, size) == (int)size;
}

bool osRead(uint8_t* bytes, size_t size) {
  while (size) {
    int count = coreRead(gIn, bytes, size);
    if ((count <= 0) && !gStackPeak) gStackPeak = measureStack();
    if (count <= 0) return false;
    bytes += count;
    size -= (size_t)count;
  }
  return true;
}

bool osHungUp(void) { return false; }

// ---- process -----------------------------------------------------------------------------------------------------

char* osStackLimit(char* base) {
  (void)base;
  return coreStackBottom + 1024;
}

void osFollowParent(void) {}

void osCatchFaults(void (*onFault)(int number, const void* address)) { (void)onFault; }

void _exit(int code) {
  char line[40];
  int file = coreOpen("stack", 1);
  int length = snprintf(line, sizeof line, "%u\n", gStackPeak);
  coreWrite(file, line, (size_t)length);
  coreExit(code);
}

// The arguments of `engine run`, one a line, are in the file "arguments".
int main(void) {
  static char text[ARGUMENTS * ARGUMENT_SIZE];
  char* arguments[ARGUMENTS];
  char base;
  int count = 0, file = coreOpen("arguments", 0);
  gStackBase = &base;
  gIn = coreOpen("in", 0);
  gOut = coreOpen("out", 1);
  if (coreRead(file, text, sizeof text - 1) <= 0) return 3;
  for (char* p = text; *p && (count < ARGUMENTS);) {
    arguments[count++] = p;
    char* end = strchr(p, '\n');
    if (!end) break;
    *end = 0;
    p = end + 1;
  }
  return runMain(count, arguments);
}

// ---- standard library --------------------------------------------------------------------------------------------

static int putError(char c, FILE* file) {
  (void)file;
  static int console = -2;
  if (console == -2) console = coreOpen("stderr", 1);
  return (coreWrite(console, &c, 1) == 1) ? (unsigned char)c : EOF;
}

static FILE gErrors = FDEV_SETUP_STREAM(putError, NULL, NULL, _FDEV_SETUP_WRITE);
FILE* const stderr = &gErrors;
FILE* const stdout = &gErrors;
