// The device's machine: cloned from the root into the arena, it imports its main module and then lives on events.
#include "host.h"

// Instructions between two looks whether the board is still there.
#define METER_INTERVAL 5000000

Archive gArchive;
txMachine* gRoot;
txMachine* gMachine;
const char* gPreloading;
bool gBusOpen;
char* gStackBase;

void fxCreateMachinePlatform(txMachine* the) {
  the->host = NULL;
  the->promiseJobs = 0;
}

void fxDeleteMachinePlatform(txMachine* the) { (void)the; }

char* fxCStackLimit(void) { return osStackLimit(gStackBase); }

uint32_t modMilliseconds(void) { return 0; }

void fxQueuePromiseJobs(txMachine* the) { the->promiseJobs = 1; }

// ---- running -----------------------------------------------------------------------------------------------------

static void importMain(txMachine* the, char* name) {
  fxBeginHost(the);
  {
    mxTry(the) {
      mxPushStringC(name);
      hostImport(the, mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm);
      mxPop();
    }
    mxCatch(the) { abortException(the); }
  }
  fxEndHost(the);
}

// Promise jobs until none is left, then what belongs between turns: weak references, finalizers.
static void runJobs(txMachine* the) {
  do {
    while (the->promiseJobs) {
      the->promiseJobs = 0;
      fxRunPromiseJobs(the);
    }
    fxEndJob(the);
  } while (the->promiseJobs);
  // A rejection that nobody has handled by now counts, as in Node; XS alone would wait for the collector to find it.
  fxCheckUnhandledRejections(the, 1);
}

static txBoolean onMeter(txMachine* the, MeterIndex index) {
  (void)the;
  (void)index;
  if (osHungUp()) hostExit(0);
  return 1;
}

static void mapArchive(const char* file, const char* offset, const char* sizeText) {
  char error[MODULE_NAME_LIMIT];
  unsigned long long size = strtoull(sizeText, NULL, 10);
  const uint8_t* bytes = osMap(file, strtoull(offset, NULL, 10), size, error, sizeof error);
  if (!bytes) hostAbort("archive-invalid", "%s", error);
  const char* fault = archiveOpen(&gArchive, bytes, (size_t)size);
  if (fault) hostAbort("archive-invalid", "%s", fault);
}

// FILE OFFSET SIZE MAIN and the creation: static, chunks 2, slots 2, stack, keys 2, name modulo, symbol modulo.
#define RUN_ARGUMENTS 14

int runMain(int argc, char** argv) {
  if (argc != RUN_ARGUMENTS) {
    fprintf(stderr, "engine run: %d arguments, not %d\n", argc, RUN_ARGUMENTS);
    return 2;
  }
  // A machine in an endless loop does not notice that its board was killed.
  osFollowParent();
  gRunning = true;
  abortCatchFaults();
  mapArchive(argv[0], argv[1], argv[2]);
  txSize numbers[10];
  for (int i = 0; i < 10; i++) {
    long value = strtol(argv[4 + i], NULL, 10);
    if ((value < 0) || (value > 0x7FFFFFFF)) hostAbort("usage", "creation: %s", argv[4 + i]);
    numbers[i] = (txSize)value;
  }
  txCreation creation = {
      .staticSize = numbers[0],
      .initialChunkSize = numbers[1],
      .incrementalChunkSize = numbers[2],
      .initialHeapCount = numbers[3],
      .incrementalHeapCount = numbers[4],
      .stackCount = numbers[5],
      .initialKeyCount = numbers[6],
      .incrementalKeyCount = numbers[7],
      .nameModulo = numbers[8],
      .symbolModulo = numbers[9],
      .parserBufferSize = 1024,
      .parserTableModulo = 17,
  };
  if (!creation.nameModulo || !creation.symbolModulo) hostAbort("usage", "creation: a modulo is 0");
  gRoot = rootCreate(creation.nameModulo, creation.symbolModulo);
  rootLoad(gRoot, &gArchive);
  arenaCreate((size_t)creation.staticSize);
  gMachine = fxCloneMachine(&creation, gRoot, "device", NULL);
  if (!gMachine) hostAbort("memory full", "no memory for the machine");
  stackPaint(gMachine);
  fxBeginMetering(gMachine, onMeter, METER_INTERVAL);
  gBusOpen = true;
  importMain(gMachine, argv[3]);
  for (;;) {
    runJobs(gMachine);
    busIdle(gMachine);
  }
}

void hostExit(int code) {
  gBusOpen = false;
  if (gMachine) fxDeleteMachine(gMachine);
  if (gRoot) rootDelete(gRoot);
  arenaDelete();
  osUnmap();
  exit(code);
}
