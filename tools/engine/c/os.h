// All that the engine's host asks of an operating system: posix.c answers on a computer, test/isa on a chip's core.
#ifndef BROOME_OS_H
#define BROOME_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// `size` bytes of a file from `offset` on, read-only; called once. NULL with words in `error` where that is impossible.
const uint8_t* osMap(const char* file, unsigned long long offset, unsigned long long size, char* error, size_t errorSize);
void osUnmap(void);

// Zeroed memory that costs nothing before it is touched, or NULL.
void* osReserve(size_t size);
// False where it cannot be done.
bool osProtect(void* memory, size_t size, bool writable);
void osRelease(void* memory, size_t size);

// The bus. False when the board has gone.
bool osWrite(const uint8_t* bytes, size_t size);
bool osRead(uint8_t* bytes, size_t size);
// True when the board has gone; does not wait.
bool osHungUp(void);

// How far down the C stack may go, if it began at `base`.
char* osStackLimit(char* base);
// The process ends with the one that started it.
void osFollowParent(void);
// Faults of the processor go to `onFault`, which does not return. `address`: what was touched, where memory was.
void osCatchFaults(void (*onFault)(int number, const void* address));

#endif
