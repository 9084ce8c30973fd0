// Milliseconds since start: see the header.
#include "broome-uptime.h"

double uptimeMs(Uptime* uptime, uint32_t counter) {
  if (counter < uptime->last) uptime->wraps++;
  uptime->last = counter;
  uint64_t micros = ((uint64_t)uptime->wraps << 32) | counter;
  return (double)(micros / 1000);
}
