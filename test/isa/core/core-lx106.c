// The ESP8266's core under `qemu-system-xtensa -cpu lx106 -M sim -semihosting`: start, and the simulator's calls (simcall).
#include "core.h"

int main(void);

enum { CALL_EXIT = 1, CALL_READ = 3, CALL_WRITE = 4, CALL_OPEN = 5 };
// Of the flags of open only these are the same in every version of QEMU: what is written must be there already.
enum { OPEN_READ = 0, OPEN_WRITE = 1 };

// The core begins at its reset vector, whatever the program's file says.
__asm__(
    ".section .reset, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    "  j 1f\n"
    "  .align 4\n"
    "  .literal_position\n"
    "1:\n"
    "  movi a1, coreStackTop\n"
    "  movi a0, coreMain\n"
    "  jx a0\n"
    // What cannot go on ends QEMU instead of going round for ever: after the reset every exception is a double one.
    ".section .trap, \"ax\"\n"
    "  movi a3, 99\n"
    "  movi a2, 1\n"
    "  simcall\n"
    ".text\n");

__attribute__((used, noreturn)) static void coreMain(void) { coreExit(main()); }

static int simulatorCall(int number, int a, int b, int c) {
  register int a2 __asm__("a2") = number;
  register int a3 __asm__("a3") = a;
  register int a4 __asm__("a4") = b;
  register int a5 __asm__("a5") = c;
  __asm__ volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
  return a2;
}

int coreOpen(const char* name, int forWriting) {
  return simulatorCall(CALL_OPEN, (int)name, forWriting ? OPEN_WRITE : OPEN_READ, 0);
}

int coreRead(int file, void* bytes, size_t size) { return simulatorCall(CALL_READ, file, (int)bytes, (int)size); }

int coreWrite(int file, const void* bytes, size_t size) {
  return simulatorCall(CALL_WRITE, file, (int)bytes, (int)size);
}

void coreExit(int code) {
  simulatorCall(CALL_EXIT, code, 0, 0);
  for (;;) {
  }
}

int coreOutput(void) { return 1; }

uint32_t coreCount(void) {
  uint32_t count;
  __asm__ volatile("rsr.ccount %0" : "=r"(count)::"memory");
  return count;
}
