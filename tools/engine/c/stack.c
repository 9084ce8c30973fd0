// The stack of the device's machine: how deep it went. What lies unused below it is painted, and what is no longer
// painted when the machine is idle was in use: XS writes every slot that it takes.
#include "host.h"

#define PAINT 0xA5

static bool isPainted(const txSlot* slot) {
  const uint8_t* byte = (const uint8_t*)slot;
  for (size_t i = 0; i < sizeof *slot; i++)
    if (byte[i] != PAINT) return false;
  return true;
}

StackStats stackMeasure(txMachine* the) {
  txSlot* slot = the->stack;
  while ((slot > the->stackBottom) && !isPainted(slot - 1)) slot--;
  StackStats stats = {(size_t)(the->stackTop - slot), (size_t)(the->stackTop - the->stackBottom)};
  stackPaint(the);
  return stats;
}

void stackPaint(txMachine* the) {
  memset(the->stackBottom, PAINT, (size_t)((uint8_t*)the->stack - (uint8_t*)the->stackBottom));
}
