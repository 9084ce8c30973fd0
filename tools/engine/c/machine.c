// The device's machine: cloned from the root into the arena, it imports its main module and then lives on events.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

#include "host.h"

// Part of the C stack that is kept for signal handlers and system calls.
#define STACK_MARGIN (128 * 1024)
#define STACK_DEFAULT (8 * 1024 * 1024)
// Instructions between two looks whether the board is still there.
#define METER_INTERVAL 5000000

Archive gArchive;
txMachine* gRoot;
txMachine* gMachine;
const char* gPreloading;
bool gBusOpen;
char* gStackBase;

static struct {
  void* address;
  size_t size;
} gMap;

void fxCreateMachinePlatform(txMachine* the) {
  the->host = NULL;
  the->promiseJobs = 0;
}

void fxDeleteMachinePlatform(txMachine* the) { (void)the; }

char* fxCStackLimit(void) {
  struct rlimit limit;
  size_t size = STACK_DEFAULT;
  if (!getrlimit(RLIMIT_STACK, &limit) && (limit.rlim_cur != RLIM_INFINITY) && (limit.rlim_cur < size))
    size = (size_t)limit.rlim_cur;
  return gStackBase - size + STACK_MARGIN;
}

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
  if (busHungUp()) hostExit(0);
  return 1;
}

static void mapArchive(const char* file, const char* offsetText, const char* sizeText) {
  unsigned long long offset = strtoull(offsetText, NULL, 10), size = strtoull(sizeText, NULL, 10);
  struct stat status;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if ((fd < 0) || fstat(fd, &status)) hostAbort("archive-invalid", "%s: %s", file, strerror(errno));
  if (!size || (offset > (unsigned long long)status.st_size) || (size > (unsigned long long)status.st_size - offset))
    hostAbort("archive-invalid", "offset %llu, size %llu are outside of the flash", offset, size);
  size_t slack = (size_t)(offset % (unsigned long long)sysconf(_SC_PAGESIZE));
  gMap.size = (size_t)size + slack;
  gMap.address = mmap(NULL, gMap.size, PROT_READ, MAP_SHARED, fd, (off_t)(offset - slack));
  if (gMap.address == MAP_FAILED) hostAbort("archive-invalid", "%s: %s", file, strerror(errno));
  close(fd);
  const char* error = archiveOpen(&gArchive, (const uint8_t*)gMap.address + slack, (size_t)size);
  if (error) hostAbort("archive-invalid", "%s", error);
}

// FILE OFFSET SIZE MAIN and the creation: static, chunks 2, slots 2, stack, keys 2, name modulo, symbol modulo.
#define RUN_ARGUMENTS 14

int runMain(int argc, char** argv) {
  if (argc != RUN_ARGUMENTS) {
    fprintf(stderr, "engine run: %d arguments, not %d\n", argc, RUN_ARGUMENTS);
    return 2;
  }
#ifdef __linux__
  // A machine in an endless loop does not notice that its board was killed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  gRunning = true;
  abortInstallSignals();
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
  if (gMap.address) munmap(gMap.address, gMap.size);
  exit(code);
}
