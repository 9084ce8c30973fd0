// Milliseconds since start from a microsecond counter of 32 bits, which wraps every 71.6 minutes. Portable C.
#ifndef BROOME_UPTIME_H
#define BROOME_UPTIME_H

#include <stdint.h>

typedef struct {
  uint32_t last;   // counter at the last look
  uint32_t wraps;
} Uptime;

// To be called at least once a turn of the counter; the firmware asks every few seconds. Exact up to 2^53.
double uptimeMs(Uptime* uptime, uint32_t counter);

#endif
