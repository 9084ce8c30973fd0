// Start, output and counter of a program on QEMU's `qemu-system-riscv32 -M virt -bios none`: the ESP32-C3's instruction set.
#include "chip.h"

#define UART ((volatile uint8_t*)0x10000000)
#define TEST_DEVICE ((volatile uint32_t*)0x100000)

// The machine jumps to the beginning of its RAM; the stack is the 64 KB at 1 MB into it.
__asm__(
    ".section .reset, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    ".option push\n"
    ".option norelax\n"
    "  la gp, __global_pointer$\n"
    ".option pop\n"
    "  li sp, 0x80110000\n"
    "  call main\n"
    "  tail chipExit\n"
    ".text\n");

__attribute__((used)) static void chipExit(int code) {
  *TEST_DEVICE = code == 0 ? 0x5555u : ((uint32_t)code << 16 | 0x3333u);
  for (;;) {
  }
}

void chipWrite(const char* bytes, size_t size) {
  while (size-- > 0) *UART = (uint8_t)*bytes++;
}

uint32_t chipCount(void) {
  uint32_t count;
  __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
  return count;
}
