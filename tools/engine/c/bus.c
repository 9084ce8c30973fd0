// The bus: frames between the machine and the Node process that owns the board, one side speaking at a time.
//
// Frame: u32 little-endian length (of what follows), u8 type, values. From the machine (descriptor 4): CALL op args,
// IDLE stats, ABORT status message. To the machine (descriptor 3): REPLY value, ERROR code message, EVENT flags name
// args. Values: tag, then for numbers 4 or 8 bytes, for strings and bytes u32 length and bytes, for arrays u32 count
// and values; all little-endian. Strings are UTF-8 with U+0000 as C0 80, as in XS.
#include <poll.h>
#include <unistd.h>

#include "host.h"

enum { FRAME_CALL = 1, FRAME_IDLE, FRAME_ABORT, FRAME_REPLY = 0x11, FRAME_ERROR, FRAME_EVENT };
enum { TAG_UNDEFINED, TAG_NULL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_NUMBER, TAG_STRING, TAG_BYTES, TAG_ARRAY };
enum { EVENT_RESTART_PEAK = 1 };

#define FD_IN 3
#define FD_OUT 4
#define DEPTH_LIMIT 4
#define HEADER 5

static uint8_t gOut[4 + BUS_FRAME_LIMIT];
static size_t gOutSize;
static uint8_t gIn[BUS_FRAME_LIMIT];
static size_t gInSize;

// ---- frames ------------------------------------------------------------------------------------------------------

static void writeAll(const uint8_t* bytes, size_t size) {
  while (size) {
    ssize_t count = write(FD_OUT, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if ((count < 0) && (errno == EAGAIN)) {
      struct pollfd wait = {.fd = FD_OUT, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if ((count < 0) && (errno != EINTR)) {
      _exit(0);  // the board has gone
    }
  }
}

static void readAll(uint8_t* bytes, size_t size) {
  while (size) {
    ssize_t count = read(FD_IN, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if (count == 0) {
      hostExit(0);  // the board has gone
    } else if (errno == EAGAIN) {
      struct pollfd wait = {.fd = FD_IN, .events = POLLIN};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      hostExit(0);
    }
  }
}

bool busHungUp(void) {
  struct pollfd wait = {.fd = FD_IN, .events = POLLIN};
  uint8_t byte;
  (void)byte;
  return (poll(&wait, 1, 0) == 1) && (wait.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void begin(uint8_t type) {
  gOut[4] = type;
  gOutSize = HEADER;
}

static bool room(size_t size) { return size <= sizeof gOut - gOutSize; }

static void put(const void* bytes, size_t size) {
  if (size) memcpy(gOut + gOutSize, bytes, size);
  gOutSize += size;
}

static void put32(uint32_t value) {
  for (int i = 0; i < 4; i++) gOut[gOutSize++] = (uint8_t)(value >> (8 * i));
}

static void putSized(uint8_t tag, const void* bytes, size_t size) {
  gOut[gOutSize++] = tag;
  put32((uint32_t)size);
  put(bytes, size);
}

static void putText(const char* text) {
  size_t size = strlen(text);
  if (!room(5 + size)) size = room(5) ? sizeof gOut - gOutSize - 5 : 0;
  putSized(TAG_STRING, text, size);
}

static void putNumber(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  gOut[gOutSize++] = TAG_NUMBER;
  put32((uint32_t)bits);
  put32((uint32_t)(bits >> 32));
}

static void send(void) {
  uint32_t size = (uint32_t)(gOutSize - 4);
  for (int i = 0; i < 4; i++) gOut[i] = (uint8_t)(size >> (8 * i));
  writeAll(gOut, gOutSize);
}

static uint8_t receive(void) {
  uint8_t head[4];
  readAll(head, sizeof head);
  size_t size = head[0] | ((size_t)head[1] << 8) | ((size_t)head[2] << 16) | ((size_t)head[3] << 24);
  if ((size < 1) || (size > sizeof gIn)) hostAbort("bus-malformed", "frame of %zu bytes", size);
  readAll(gIn, size);
  gInSize = size;
  return gIn[0];
}

void busAbort(const char* status, const char* message) {
  begin(FRAME_ABORT);
  putText(status);
  putText(message);
  send();
}

// ---- values ------------------------------------------------------------------------------------------------------

static void tooLong(txMachine* the) { mxRangeError("bus: over %d bytes", BUS_FRAME_LIMIT); }

// Bytes of an ArrayBuffer or of a view on one. False if it is neither.
static bool bytesOf(txMachine* the, txSlot* instance, const uint8_t** bytes, size_t* size) {
  txSlot *slot = instance->next, *view = NULL;
  if (!slot || !(slot->flag & XS_INTERNAL_FLAG)) return false;
  if (slot->kind == XS_TYPED_ARRAY_KIND) view = slot->next;
  if (slot->kind == XS_DATA_VIEW_KIND) view = slot;
  if (view) {
    txSlot* buffer = view->next->value.reference;
    slot = buffer->next;
  }
  if (slot->kind != XS_ARRAY_BUFFER_KIND) return false;
  size_t length = (size_t)slot->next->value.bufferInfo.length, offset = 0;
  if (view) {
    offset = (size_t)view->value.dataView.offset;
    if (offset > length) mxTypeError("bus: view out of bounds");
    size_t viewSize = (view->value.dataView.size < 0) ? length - offset : (size_t)view->value.dataView.size;
    if (viewSize > length - offset) mxTypeError("bus: view out of bounds");
    length = viewSize;
  }
  *bytes = (const uint8_t*)slot->value.arrayBuffer.address + offset;
  *size = length;
  return true;
}

static void putValue(txMachine* the, txSlot* slot, int depth) {
  if (!room(9)) tooLong(the);
  switch (slot->kind) {
    case XS_UNDEFINED_KIND: gOut[gOutSize++] = TAG_UNDEFINED; return;
    case XS_NULL_KIND: gOut[gOutSize++] = TAG_NULL; return;
    case XS_BOOLEAN_KIND: gOut[gOutSize++] = slot->value.boolean ? TAG_TRUE : TAG_FALSE; return;
    case XS_INTEGER_KIND:
      gOut[gOutSize++] = TAG_INTEGER;
      put32((uint32_t)slot->value.integer);
      return;
    case XS_NUMBER_KIND: putNumber(slot->value.number); return;
    case XS_STRING_KIND:
    case XS_STRING_X_KIND: {
      size_t size = strlen(slot->value.string);
      if (!room(5 + size)) tooLong(the);
      putSized(TAG_STRING, slot->value.string, size);
      return;
    }
    case XS_REFERENCE_KIND: {
      txSlot* instance = slot->value.reference;
      const uint8_t* bytes;
      size_t size;
      if (bytesOf(the, instance, &bytes, &size)) {
        if (!room(5 + size)) tooLong(the);
        putSized(TAG_BYTES, bytes, size);
        return;
      }
      txSlot* array = instance->next;
      if (array && (array->flag & XS_INTERNAL_FLAG) && (array->kind == XS_ARRAY_KIND) && (depth < DEPTH_LIMIT)) {
        txIndex count = array->value.array.length;
        if (!room(5 + (size_t)count)) tooLong(the);
        gOut[gOutSize++] = TAG_ARRAY;
        put32(count);
        for (txIndex i = 0; i < count; i++) {
          txSlot* item = fxGetIndexProperty(the, array, i);
          if (item) putValue(the, item, depth + 1);
          else if (!room(1)) tooLong(the);
          else gOut[gOutSize++] = TAG_UNDEFINED;
        }
        return;
      }
      break;
    }
    default: break;
  }
  mxTypeError("bus: only primitive values, bytes and arrays of them");
}

typedef struct {
  const uint8_t* p;
  const uint8_t* end;
} Reader;

static void malformed(void) { hostAbort("bus-malformed", "bad values in a frame"); }

static uint32_t take32(Reader* reader) {
  if (reader->end - reader->p < 4) malformed();
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value |= (uint32_t)*reader->p++ << (8 * i);
  return value;
}

static const uint8_t* takeSized(Reader* reader, size_t* size) {
  *size = take32(reader);
  if (*size > (size_t)(reader->end - reader->p)) malformed();
  const uint8_t* bytes = reader->p;
  reader->p += *size;
  return bytes;
}

static void pushNumber(txMachine* the, Reader* reader) {
  uint64_t bits = take32(reader);
  bits |= (uint64_t)take32(reader) << 32;
  double number;
  memcpy(&number, &bits, sizeof number);
  mxPushNumber(number);
}

// Pushes the next value. What it makes lies in the arena: it may end the machine with "memory full".
static void pushValue(txMachine* the, Reader* reader, int depth) {
  size_t size;
  const uint8_t* bytes;
  if ((reader->p >= reader->end) || (depth > DEPTH_LIMIT)) malformed();
  switch (*reader->p++) {
    case TAG_UNDEFINED: mxPushUndefined(); return;
    case TAG_NULL: mxPushNull(); return;
    case TAG_FALSE: mxPushBoolean(0); return;
    case TAG_TRUE: mxPushBoolean(1); return;
    case TAG_INTEGER: mxPushInteger((txInteger)take32(reader)); return;
    case TAG_NUMBER: pushNumber(the, reader); return;
    case TAG_STRING:
      bytes = takeSized(reader, &size);
      mxPushUndefined();
      fxStringBuffer(the, the->stack, (txString)bytes, (txSize)size);
      return;
    case TAG_BYTES:
      bytes = takeSized(reader, &size);
      mxPushUndefined();
      fxArrayBuffer(the, the->stack, (void*)bytes, (txInteger)size, -1);
      return;
    case TAG_ARRAY: {
      uint32_t count = take32(reader);
      if (count > (size_t)(reader->end - reader->p)) malformed();
      fxNewArray(the, 0);
      txSlot* array = the->stack;
      for (uint32_t i = 0; i < count; i++) {
        pushValue(the, reader, depth + 1);
        mxPushSlot(array);
        mxSetIndex(i);
        mxPop();
      }
      return;
    }
    default: malformed();
  }
}

// ---- calls -------------------------------------------------------------------------------------------------------

static void throwBusError(txMachine* the, Reader* reader) {
  size_t codeSize, messageSize;
  if (*reader->p++ != TAG_STRING) malformed();
  const uint8_t* code = takeSized(reader, &codeSize);
  if ((reader->p >= reader->end) || (*reader->p++ != TAG_STRING)) malformed();
  const uint8_t* message = takeSized(reader, &messageSize);
  mxPush(mxErrorConstructor);
  mxNew();
  mxPushUndefined();
  fxStringBuffer(the, the->stack, (txString)message, (txSize)messageSize);
  mxRunCount(1);
  txSlot* error = the->stack;
  mxPushUndefined();
  fxStringBuffer(the, the->stack, (txString)code, (txSize)codeSize);
  mxPushSlot(error);
  mxSetID(fxID(the, "code"));
  mxPop();
  mxException.kind = the->stack->kind;
  mxException.value = the->stack->value;
  fxJump(the);
}

static void requireBus(txMachine* the) {
  if (gBusOpen) return;
  hostAbort("exception", "preload of %s: a preloaded module must not use the bus at its top level",
            gPreloading ? gPreloading : "?");
  (void)the;
}

void busCall(txMachine* the) {
  requireBus(the);
  if ((mxArgc < 1) || ((mxArgv(0)->kind != XS_STRING_KIND) && (mxArgv(0)->kind != XS_STRING_X_KIND)))
    mxTypeError("bus: op is no string");
  begin(FRAME_CALL);
  for (int i = 0; i < mxArgc; i++) putValue(the, mxArgv(i), 0);
  send();
  uint8_t type = receive();
  Reader reader = {gIn + 1, gIn + gInSize};
  if (type == FRAME_ERROR) throwBusError(the, &reader);
  if (type != FRAME_REPLY) hostAbort("bus-malformed", "frame %d is no reply", type);
  pushValue(the, &reader, 0);
  if (reader.p != reader.end) malformed();
  mxPullSlot(mxResult);
}

void busResource(txMachine* the) {
  char name[256];
  size_t size;
  if (mxArgc < 1) mxTypeError("resource: no name");
  fxToStringBuffer(the, mxArgv(0), name, sizeof name);
  const uint8_t* data = archiveData(&gArchive, name, &size);
  if (data) fxArrayBuffer(the, mxResult, (void*)data, (txInteger)size, -1);
}

// A call from C, which must not touch the machine: no argument or one number; the reply stays in gIn.
static Reader hostCall(const char* op, int count) {
  requireBus(gMachine);
  begin(FRAME_CALL);
  putText(op);
  if (count) putNumber(count);
  send();
  uint8_t type = receive();
  if (type != FRAME_REPLY) hostAbort("bus-malformed", "%s failed", op);
  return (Reader){gIn + 1, gIn + gInSize};
}

// gettimeofday of the board: clock.now() -> milliseconds since 1970.
int hostClock(struct timeval* now, void* zone) {
  (void)zone;
  Reader reader = hostCall("clock.now", 0);
  double milliseconds = 0;
  uint8_t tag = *reader.p++;
  if (tag == TAG_INTEGER) {
    milliseconds = (int32_t)take32(&reader);
  } else if (tag == TAG_NUMBER) {
    uint64_t bits = take32(&reader);
    bits |= (uint64_t)take32(&reader) << 32;
    memcpy(&milliseconds, &bits, sizeof milliseconds);
  } else {
    malformed();
  }
  now->tv_sec = (time_t)floor(milliseconds / 1000);
  now->tv_usec = (suseconds_t)(fmod(milliseconds, 1000) * 1000);
  return 0;
}

// Math.random's source: random.bytes(4).
uint32_t hostRandom(void) {
  Reader reader = hostCall("random.bytes", 4);
  size_t size;
  if (*reader.p++ != TAG_BYTES) malformed();
  const uint8_t* bytes = takeSized(&reader, &size);
  if (size != 4) malformed();
  Reader number = {bytes, bytes + 4};
  return take32(&number);
}

// ---- turns -------------------------------------------------------------------------------------------------------

static uint64_t gMeter;
static uint32_t gMeterSeen;

static void sendIdle(txMachine* the) {
  ArenaStats stats = arenaStats();
  gMeter += (uint32_t)(the->meterIndex - gMeterSeen);
  gMeterSeen = the->meterIndex;
  begin(FRAME_IDLE);
  putNumber((double)stats.used);
  putNumber((double)stats.peak);
  putNumber((double)stats.limit);
  putNumber((double)the->currentChunksSize);
  putNumber((double)the->currentHeapCount * sizeof(txSlot));
  putNumber((double)gMeter);
  send();
}

void busIdle(txMachine* the) {
  sendIdle(the);
  uint8_t type = receive();
  if (type != FRAME_EVENT) hostAbort("bus-malformed", "frame %d is no event", type);
  Reader reader = {gIn + 1, gIn + gInSize};
  if (reader.p >= reader.end) malformed();
  if (*reader.p++ & EVENT_RESTART_PEAK) arenaRestartPeak();
  fxBeginHost(the);
  {
    mxTry(the) {
      txInteger count = 0;
      mxPush(mxGlobal);
      mxPush(mxGlobal);
      mxGetID(fxID(the, "onBusEvent"));
      mxCall();
      while (reader.p < reader.end) {
        pushValue(the, &reader, 0);
        count++;
      }
      mxRunCount(count);
      mxPop();
    }
    mxCatch(the) { abortException(the); }
  }
  fxEndHost(the);
}
