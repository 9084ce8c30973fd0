// One core under QEMU, and the door to the files of the computer: core-lx106.c and core-rv32imc.c.
#ifndef BROOME_ISA_CORE_H
#define BROOME_ISA_CORE_H

#include <stddef.h>
#include <stdint.h>

// Files of QEMU's working directory; they must exist. A handle, or -1.
int coreOpen(const char* name, int forWriting);
// Bytes that were read, 0 at the end, or -1.
int coreRead(int file, void* bytes, size_t size);
// Bytes that were written, or -1.
int coreWrite(int file, const void* bytes, size_t size);
void coreExit(int code) __attribute__((noreturn));
// The handle of QEMU's standard output.
int coreOutput(void);
// Runs up with each instruction, in the unit that cores.ts knows.
uint32_t coreCount(void);

// Where the stack begins, and its size; it grows down. The linker's symbols, see core.ld.
extern char coreStackTop[], coreStackBottom[];

#endif
