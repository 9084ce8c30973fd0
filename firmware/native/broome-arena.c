// What the program's arena holds: slots and chunks in the one block of `creation.static` (xs/platforms/mc/xsHosts.c). The
// chip's own heap, where the network has its buffers, is not in it.
#ifdef __ets__  // the boards; a lin build has no arena

#include "xsAll.h"
#include "xs.h"
#include "xsmc.h"

// (which): 0 bytes free, 1 the most that were in use, 2 all.
void xs_broome_arena(xsMachine* the) {
  xsIntegerValue used = (xsIntegerValue)(the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize);
  xsIntegerValue most = (xsIntegerValue)(the->peakHeapCount * sizeof(txSlot) + the->peakChunksSize);
  // Taken from the block already, and free again; then what lies between slots and chunks.
  xsIntegerValue idle = (xsIntegerValue)(the->maximumHeapCount * sizeof(txSlot) + the->maximumChunksSize) - used;
  xsIntegerValue free = idle + (xsIntegerValue)(the->heap_pend - the->heap_ptr);

  switch (xsmcToInteger(xsArg(0))) {
    case 0: xsmcSetInteger(xsResult, free); break;
    case 1: xsmcSetInteger(xsResult, most > used ? most : used); break;
    default: xsmcSetInteger(xsResult, free + used);
  }
}

#endif
