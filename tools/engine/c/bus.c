// The bus: the machine calls the board and waits for the reply; the board sends events while the machine is idle.
//
// From the machine: CALL op args, IDLE stats, ABORT status message. To the machine: REPLY value, ERROR code message,
// EVENT flags name args. One side speaks at a time.
#include "bus.h"

enum { EVENT_RESTART_PEAK = 1 };

// ---- calls -------------------------------------------------------------------------------------------------------

static void throwBusError(txMachine* the, Reader* reader) {
  size_t codeSize, messageSize;
  if (takeTag(reader) != TAG_STRING) malformed();
  const uint8_t* code = takeSized(reader, &codeSize);
  if (takeTag(reader) != TAG_STRING) malformed();
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
  frameBegin(FRAME_CALL);
  for (int i = 0; i < mxArgc; i++) putValue(the, mxArgv(i), 0);
  frameSend();
  Reader reader;
  uint8_t type = frameReceive(&reader);
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

// A call from C, which must not touch the machine: no argument or one number; the reply stays in the frame.
static Reader hostCall(const char* op, int count) {
  requireBus(gMachine);
  frameBegin(FRAME_CALL);
  putText(op);
  if (count) putNumber(count);
  frameSend();
  Reader reader;
  if (frameReceive(&reader) != FRAME_REPLY) hostAbort("bus-malformed", "%s failed", op);
  return reader;
}

// gettimeofday of the board: clock.now() -> milliseconds since 1970.
int hostClock(struct timeval* now, void* zone) {
  (void)zone;
  Reader reader = hostCall("clock.now", 0);
  double milliseconds = 0;
  uint8_t tag = takeTag(&reader);
  if (tag == TAG_INTEGER) {
    milliseconds = (int32_t)take32(&reader);
  } else if (tag == TAG_NUMBER) {
    milliseconds = takeDouble(&reader);
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
  if (takeTag(&reader) != TAG_BYTES) malformed();
  const uint8_t* bytes = takeSized(&reader, &size);
  if (size != 4) malformed();
  Reader number = {bytes, bytes + 4};
  return take32(&number);
}

// ---- turns -------------------------------------------------------------------------------------------------------

static uint64_t gMeter;
static MeterIndex gMeterSeen;

static void sendIdle(txMachine* the) {
  ArenaStats stats = arenaStats();
  StackStats stack = stackMeasure(the);
  gMeter += (MeterIndex)(the->meterIndex - gMeterSeen);
  gMeterSeen = the->meterIndex;
  frameBegin(FRAME_IDLE);
  putNumber((double)stats.used);
  putNumber((double)stats.peak);
  putNumber((double)stats.limit);
  putNumber((double)the->currentChunksSize);
  putNumber((double)the->currentHeapCount * sizeof(txSlot));
  putNumber((double)(gMeter >> METER_SHIFT));
  putNumber((double)stack.peak);
  putNumber((double)stack.limit);
  frameSend();
}

void busIdle(txMachine* the) {
  sendIdle(the);
  Reader reader;
  uint8_t type = frameReceive(&reader);
  if (type != FRAME_EVENT) hostAbort("bus-malformed", "frame %d is no event", type);
  if (takeTag(&reader) & EVENT_RESTART_PEAK) arenaRestartPeak();
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
