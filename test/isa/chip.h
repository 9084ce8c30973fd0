// What a program under QEMU finds instead of an operating system: lx106.c and rv32imc.c give it.
#ifndef BROOME_ISA_CHIP_H
#define BROOME_ISA_CHIP_H

#include <stddef.h>
#include <stdint.h>

// The program; its result is QEMU's exit code.
int main(void);

void chipWrite(const char* bytes, size_t size);
// Runs up with each instruction, in the unit that qemu.ts knows.
uint32_t chipCount(void);

#endif
