// The ESP32-C3's instruction set under `qemu-system-riscv32 -M virt -bios none -semihosting`: start, and the semihosting
// calls (RISC-V Semihosting Specification, numbers of Arm's).
#include <string.h>

#include "core.h"

int main(void);

enum { CALL_OPEN = 0x01, CALL_WRITE = 0x05, CALL_READ = 0x06, CALL_EXIT_EXTENDED = 0x20 };
enum { OPEN_READ = 1, OPEN_WRITE = 5 };  // as fopen's "rb" and "wb"
#define EXIT_REASON 0x20026              // ADP_Stopped_ApplicationExit

__asm__(
    ".section .reset, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    "  .option push\n"
    "  .option arch, +zicsr\n"
    "  la t0, trap\n"
    "  csrw mtvec, t0\n"
    "  .option pop\n"
    "  la tp, coreThread\n"  // picolibc's errno is a thread's own
    "  la sp, coreStackTop\n"
    "  call main\n"
    "  tail coreExit\n"
    // What cannot go on ends QEMU instead of going round for ever.
    "  .align 2\n"
    "trap:\n"
    "  li a0, 99\n"
    "  tail coreExit\n"
    ".text\n");

// These three instructions, uncompressed and in one page, are the call.
static int hostCall(int number, const void* block) {
  register int a0 __asm__("a0") = number;
  register const void* a1 __asm__("a1") = block;
  __asm__ volatile(
      ".option push\n"
      ".option norvc\n"
      ".balign 16\n"
      "slli x0, x0, 0x1f\n"
      "ebreak\n"
      "srai x0, x0, 7\n"
      ".option pop\n"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
}

int coreOpen(const char* name, int forWriting) {
  uint32_t block[3] = {(uint32_t)name, forWriting ? OPEN_WRITE : OPEN_READ, strlen(name)};
  return hostCall(CALL_OPEN, block);
}

// READ and WRITE answer how many bytes were left over.
int coreRead(int file, void* bytes, size_t size) {
  uint32_t block[3] = {(uint32_t)file, (uint32_t)bytes, size};
  return (int)size - hostCall(CALL_READ, block);
}

int coreWrite(int file, const void* bytes, size_t size) {
  uint32_t block[3] = {(uint32_t)file, (uint32_t)bytes, size};
  return (int)size - hostCall(CALL_WRITE, block);
}

void coreExit(int code) {
  uint32_t block[2] = {EXIT_REASON, (uint32_t)code};
  hostCall(CALL_EXIT_EXTENDED, block);
  for (;;) {
  }
}

int coreOutput(void) {
  static int handle = -1;
  if (handle < 0) handle = coreOpen(":tt", 1);  // the host's console
  return handle;
}

uint32_t coreCount(void) {
  uint32_t count;
  __asm__ volatile(
      ".option push\n"
      ".option arch, +zicsr\n"
      "rdinstret %0\n"
      ".option pop\n"
      : "=r"(count)::"memory");
  return count;
}
