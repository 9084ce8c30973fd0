// What frame.c, value.c and bus.c share: one frame being made, one being read.
#ifndef BROOME_BUS_H
#define BROOME_BUS_H

#include "host.h"

enum { FRAME_CALL = 1, FRAME_IDLE, FRAME_ABORT, FRAME_REPLY = 0x11, FRAME_ERROR, FRAME_EVENT };
enum { TAG_UNDEFINED, TAG_NULL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_NUMBER, TAG_STRING, TAG_BYTES, TAG_ARRAY };

// ---- frame.c: writing --------------------------------------------------------------------------------------------

void frameBegin(uint8_t type);
// Whether `size` bytes more fit into the frame. Every put needs room that was asked for.
bool frameRoom(size_t size);
void put8(uint8_t value);
void put32(uint32_t value);
void putNumber(double number);  // 9 bytes
// A tag, a length and bytes: 5 bytes more than `size`.
void putSized(uint8_t tag, const void* bytes, size_t size);
// A string that is cut if it does not fit.
void putText(const char* text);
void frameSend(void);

// ---- frame.c: reading --------------------------------------------------------------------------------------------

typedef struct {
  const uint8_t* p;
  const uint8_t* end;
} Reader;

// Waits for a frame; returns its type. Ends the process when the board has gone.
uint8_t frameReceive(Reader* reader);
// The take functions end the machine with "bus-malformed" if the frame does not hold what is asked for.
void malformed(void) __attribute__((noreturn));
uint8_t takeTag(Reader* reader);
uint32_t take32(Reader* reader);
double takeDouble(Reader* reader);
const uint8_t* takeSized(Reader* reader, size_t* size);

// ---- value.c -----------------------------------------------------------------------------------------------------

// Appends a JavaScript value; throws TypeError or RangeError in the machine.
void putValue(txMachine* the, txSlot* slot, int depth);
// Pushes the next value. What it makes lies in the arena: it may end the machine with "memory full".
void pushValue(txMachine* the, Reader* reader, int depth);

#endif
