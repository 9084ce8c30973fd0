// The arena: all memory of the device's machine in one block, as on the boards. Chunks grow up, slots grow down.
//
// Slots never go back, so before the pool of slots grows, the chunks are compacted and their pool is trimmed. (A board
// does that only when it is out of memory; the outcome is the same.) So whenever a pool grows, nothing is left to be
// saved, and the largest sum of the two pools is the smallest arena in which this run would have passed: `peak`.
#include "host.h"

static struct {
  uint8_t *base, *chunks, *slots, *end;
  size_t peak;
  size_t refused;  // bytes, of the allocation that did not fit
} arena;

void arenaCreate(size_t size) {
  size &= ~(size_t)15;
  void* block = NULL;
  if (!size || posix_memalign(&block, 16, size)) hostAbort("memory full", "no memory for the arena");
  arena.base = arena.chunks = block;
  arena.end = arena.slots = arena.base + size;
}

void arenaDelete(void) { free(arena.base); }

static void measure(void) {
  size_t used = (size_t)(arena.chunks - arena.base) + (size_t)(arena.end - arena.slots);
  if (arena.peak < used) arena.peak = used;
}

ArenaStats arenaStats(void) {
  ArenaStats stats;
  stats.used = (size_t)(arena.chunks - arena.base) + (size_t)(arena.end - arena.slots);
  stats.peak = arena.peak;
  stats.limit = (size_t)(arena.end - arena.base);
  return stats;
}

void arenaRestartPeak(void) {
  arena.peak = 0;
  measure();
}

void arenaDescribe(char* buffer, size_t size) {
  snprintf(buffer, size, "%zu bytes more do not fit: %zu of chunks and %zu of slots in %zu", arena.refused,
           (size_t)(arena.chunks - arena.base), (size_t)(arena.end - arena.slots), (size_t)(arena.end - arena.base));
}

static bool fits(size_t size) {
  if (size <= (size_t)(arena.slots - arena.chunks)) return true;
  arena.refused = size;
  return false;
}

void* fxAllocateChunks(txMachine* the, txSize theSize) {
  if (!the->sharedMachine) return rootAllocateChunks(the, theSize);
  size_t size = (size_t)theSize;
  txBlock* block = the->firstBlock;
  if (!block) {
    if (!fits(size)) return NULL;
    void* result = arena.chunks;
    arena.chunks += size;
    measure();
    return result;
  }
  // There is one block for ever, which grows by what is asked for beyond its free end. XS then adds the whole size to
  // the limit of a block that ends where the new memory begins: so the limit is set back by as much.
  size_t free = (size_t)(block->limit - block->current);
  size_t grow = (size > free + sizeof(txBlock)) ? size - sizeof(txBlock) - free : 0;
  if (!fits(grow)) return NULL;
  arena.chunks += grow;
  measure();
  block->limit = (txByte*)arena.chunks - size;
  the->maximumChunksSize += (txSize)grow - theSize;
  return block->limit;
}

txSlot* fxAllocateSlots(txMachine* the, txSize theCount) {
  if (!the->sharedMachine) return rootAllocateSlots(theCount);
  size_t size = (size_t)theCount * sizeof(txSlot);
  txBlock* block = the->firstBlock;
  if (the->firstHeap && block) {
    fxCollect(the, XS_COMPACT_FLAG | XS_ORGANIC_FLAG);
    size_t free = (size_t)(block->limit - block->current);
    the->maximumChunksSize -= (txSize)free;
    block->limit = block->current;
    arena.chunks = (uint8_t*)block->current;
  }
  if (!fits(size)) return NULL;
  arena.slots -= size;
  measure();
  return (txSlot*)arena.slots;
}

void fxFreeChunks(txMachine* the, void* chunks) {
  (void)the;
  (void)chunks;
}

void fxFreeSlots(txMachine* the, void* slots) {
  (void)the;
  (void)slots;
}
