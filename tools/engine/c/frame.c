// Frames of the bus: u32 little-endian length (of what follows), u8 type, values.
#include <unistd.h>

#include "bus.h"

#define HEADER 5

static uint8_t gOut[4 + BUS_FRAME_LIMIT];
static size_t gOutSize;
static uint8_t gIn[BUS_FRAME_LIMIT];

void frameBegin(uint8_t type) {
  gOut[4] = type;
  gOutSize = HEADER;
}

bool frameRoom(size_t size) { return size <= sizeof gOut - gOutSize; }

void put8(uint8_t value) { gOut[gOutSize++] = value; }

void put32(uint32_t value) {
  for (int i = 0; i < 4; i++) gOut[gOutSize++] = (uint8_t)(value >> (8 * i));
}

void putSized(uint8_t tag, const void* bytes, size_t size) {
  put8(tag);
  put32((uint32_t)size);
  if (size) memcpy(gOut + gOutSize, bytes, size);
  gOutSize += size;
}

void putText(const char* text) {
  size_t size = strlen(text);
  if (!frameRoom(5 + size)) size = frameRoom(5) ? sizeof gOut - gOutSize - 5 : 0;
  putSized(TAG_STRING, text, size);
}

void putNumber(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  put8(TAG_NUMBER);
  put32((uint32_t)bits);
  put32((uint32_t)(bits >> 32));
}

void frameSend(void) {
  uint32_t size = (uint32_t)(gOutSize - 4);
  for (int i = 0; i < 4; i++) gOut[i] = (uint8_t)(size >> (8 * i));
  if (!osWrite(gOut, gOutSize)) _exit(0);  // the board has gone
}

uint8_t frameReceive(Reader* reader) {
  uint8_t head[4];
  if (!osRead(head, sizeof head)) hostExit(0);  // the board has gone
  size_t size = head[0] | ((size_t)head[1] << 8) | ((size_t)head[2] << 16) | ((size_t)head[3] << 24);
  if ((size < 1) || (size > sizeof gIn)) hostAbort("bus-malformed", "frame of %zu bytes", size);
  if (!osRead(gIn, size)) hostExit(0);
  reader->p = gIn + 1;
  reader->end = gIn + size;
  return gIn[0];
}

void busAbort(const char* status, const char* message) {
  frameBegin(FRAME_ABORT);
  putText(status);
  putText(message);
  frameSend();
}

void malformed(void) { hostAbort("bus-malformed", "bad values in a frame"); }

uint8_t takeTag(Reader* reader) {
  if (reader->p >= reader->end) malformed();
  return *reader->p++;
}

uint32_t take32(Reader* reader) {
  if (reader->end - reader->p < 4) malformed();
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value |= (uint32_t)*reader->p++ << (8 * i);
  return value;
}

const uint8_t* takeSized(Reader* reader, size_t* size) {
  *size = take32(reader);
  if (*size > (size_t)(reader->end - reader->p)) malformed();
  const uint8_t* bytes = reader->p;
  reader->p += *size;
  return bytes;
}

double takeDouble(Reader* reader) {
  uint64_t bits = take32(reader);
  bits |= (uint64_t)take32(reader) << 32;
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}
