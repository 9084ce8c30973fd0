// Start, output and counter of a program on QEMU's `-cpu lx106 -M sim -semihosting`: the ESP8266's core and no peripherals.
#include "chip.h"

// The simulator begins at the core's reset vector, whatever the ELF's entry says: qemu.ts links this section there. The
// stack lies in the data RAM at 0x3FFC0000.
__asm__(
    ".section .reset, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    "  j 1f\n"
    ".align 4\n"
    ".literal_position\n"
    "1:\n"
    "  movi a1, 0x3ffc8000\n"
    "  movi a0, main\n"
    "  callx0 a0\n"
    "  mov a3, a2\n"
    "  movi a2, 1\n"  // exit
    "  simcall\n"
    ".text\n");

void chipWrite(const char* bytes, size_t size) {
  register int call __asm__("a2") = 4;  // write
  register int file __asm__("a3") = 1;
  register const char* from __asm__("a4") = bytes;
  register size_t length __asm__("a5") = size;
  __asm__ volatile("simcall" : "+r"(call), "+r"(file) : "r"(from), "r"(length) : "memory");
}

uint32_t chipCount(void) {
  uint32_t count;
  __asm__ volatile("rsr.ccount %0" : "=r"(count)::"memory");
  return count;
}
