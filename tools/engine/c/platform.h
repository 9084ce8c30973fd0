// What XS needs to know about its host: included by xsPlatform.h through the macro XSPLATFORM (XS in C, "Platform").
//
// The host is one process = one machine, without threads, debugger, console or clock of its own: time and randomness
// come from the board over the bus, and local time is UTC, because a device has no time zones.
#ifndef BROOME_PLATFORM_H
#define BROOME_PLATFORM_H

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

// XS 17 marks its switch cases with this and leaves the definition to the platform.
#ifndef mxFallThrough
#define mxFallThrough
#endif

// Per machine: whether promise jobs wait to be run.
#define mxMachinePlatform \
  void* host;             \
  int promiseJobs;

// Ours: chunks, slots, modules, parser, abort, C stack. XS's: keys and shared chunks (unreachable, see root.c).
#define mxUseDefaultMachinePlatform 0
#define mxUseDefaultBuildKeys 1
#define mxUseDefaultChunkAllocation 0
#define mxUseDefaultSlotAllocation 0
#define mxUseDefaultFindModule 0
#define mxUseDefaultLoadModule 0
#define mxUseDefaultParseScript 0
#define mxUseDefaultQueuePromiseJobs 0
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultAbort 0
#define mxUseDefaultDebug 0
#define mxUseDefaultCStackLimit 0

// Clock and randomness of the board (host.c). The typedefs replace the ones xsPlatform.h makes beside the macros.
typedef struct timeval c_timeval;
struct timezone;
extern int hostClock(struct timeval* now, void* zone);
extern uint32_t hostRandom(void);
#define c_gettimeofday hostClock
#define c_rand hostRandom
#define C_RAND_MAX 0xFFFFFFFFu
#define c_localtime gmtime
#define c_mktime timegm

#endif
