// The root: a machine with the built-ins and the preloaded modules, shared and then write-protected.
//
// On a board, XS's linker turns such a machine into constant data in flash. Here it is made at every start (about
// 2 ms), in a region of its own that is made read-only: what a board cannot write, the virtual board cannot.
#include "host.h"

// Address space, not memory: pages are touched as they are needed. Chunks grow up, slots grow down.
#define REGION_SIZE (8u * 1024 * 1024)

static struct {
  uint8_t *base, *chunks, *slots, *end;
} region;

static void regionCreate(void) {
  void* base = osReserve(REGION_SIZE);
  if (!base) hostAbort("memory full", "no memory for the root machine");
  region.base = region.chunks = base;
  region.end = region.slots = region.base + REGION_SIZE;
}

void* rootAllocateChunks(txMachine* the, txSize size) {
  if (size > region.slots - region.chunks) return NULL;
  // XS takes memory that begins at the end of its first block as an extension of it.
  (void)the;
  void* result = region.chunks;
  region.chunks += size;
  return result;
}

txSlot* rootAllocateSlots(txSize count) {
  size_t size = (size_t)count * sizeof(txSlot);
  if (size > (size_t)(region.slots - region.chunks)) return NULL;
  region.slots -= size;
  return (txSlot*)region.slots;
}

bool rootContains(const void* address) {
  return region.base && ((const uint8_t*)address >= region.base) && ((const uint8_t*)address < region.end);
}

// Code from strings needs a parser, and a device has none.
txScript* fxParseScript(txMachine* the, void* stream, txGetter getter, txUnsigned flags) {
  (void)stream;
  (void)getter;
  (void)flags;
  mxTypeError("code cannot be made of strings on a device");
  return NULL;
}

static void noConstructor(txMachine* the) { mxTypeError("code cannot be made of strings on a device"); }

// Removes a global, if XS was built with it.
static void removeGlobal(txMachine* the, txString name) {
  txID id = fxFindName(the, name);
  if (!id) return;
  mxPush(mxGlobal);
  mxDeleteID(id);
  mxPop();
}

// A constructor that its prototype leads to: what it does goes, not the name.
static void disable(txSlot* constructor) {
  if (constructor->kind == XS_REFERENCE_KIND)
    mxFunctionInstanceCode(constructor->value.reference)->value.callback.address = noConstructor;
}

static void disablePrototype(txMachine* the, txSlot* prototype) {
  txSlot* property = mxBehaviorGetProperty(the, prototype->value.reference, mxID(_constructor), 0, XS_OWN);
  if (property) disable(property);
}

static void strip(txMachine* the) {
  static const char* const names[] = {"eval",        "Function",     "Atomics",  "SharedArrayBuffer",
                                      "Compartment", "ModuleSource", "lockdown", "petrify",
                                      "mutabilities", "purify",      "harden",   "trace",
                                      "native"};
  disablePrototype(the, &mxFunctionPrototype);
  disablePrototype(the, &mxAsyncFunctionPrototype);
  disablePrototype(the, &mxGeneratorFunctionPrototype);
  disablePrototype(the, &mxAsyncGeneratorFunctionPrototype);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) removeGlobal(the, (txString)names[i]);
}

static void define(txMachine* the, txString name, txCallback callback, txInteger length) {
  txID id = fxID(the, name);
  fxNewHostFunction(the, callback, length, id, XS_NO_ID);
  mxPush(mxGlobal);
  mxDefineID(id, XS_DONT_ENUM_FLAG, XS_DONT_ENUM_FLAG);
  mxPop();
}

txMachine* rootCreate(txSize nameModulo, txSize symbolModulo) {
  txCreation creation = {
      .initialChunkSize = 64 * 1024,
      .incrementalChunkSize = 32 * 1024,
      .initialHeapCount = 6 * 1024,
      .incrementalHeapCount = 1024,
      .stackCount = 4096,
      .initialKeyCount = 2048,
      .incrementalKeyCount = 1024,
      .nameModulo = nameModulo,
      .symbolModulo = symbolModulo,
      .parserBufferSize = 1024,
      .parserTableModulo = 17,
  };
  regionCreate();
  txMachine* the = fxCreateMachine(&creation, "root", NULL, XS_NO_ID);
  if (!the) hostAbort("memory full", "no memory for the root machine");
  fxBeginHost(the);
  {
    mxTry(the) {
      strip(the);
      define(the, "bus", busCall, 1);
      define(the, "resource", busResource, 1);
      define(the, "x25519", xs_x25519, 2);
      define(the, "ed25519Verify", xs_ed25519_verify, 3);
    }
    mxCatch(the) { abortException(the); }
  }
  fxEndHost(the);
  return the;
}

// FNV-1a (64 bit), twice with different starts: this is an identity, not a protection. The image's SHA-256 protects.
static void hashBytes(uint64_t hash[2], const void* data, size_t size) {
  for (const uint8_t* p = data; size--; p++)
    for (int i = 0; i < 2; i++) hash[i] = (hash[i] ^ *p) * 0x100000001B3ull;
}

void rootHash(txMachine* root, uint8_t result[ROOT_HASH_SIZE]) {
  uint64_t hash[2] = {0xCBF29CE484222325ull, 0x9AE16A3B2F90404Full};
  uint8_t version[3] = {XS_MAJOR_VERSION, XS_MINOR_VERSION, ARCHIVE_FORMAT};
  hashBytes(hash, version, sizeof version);
  hashBytes(hash, gxCodeSizes, XS_CODE_COUNT);
  for (int i = 0; i < XS_CODE_COUNT; i++) hashBytes(hash, gxCodeNames[i], strlen(gxCodeNames[i]) + 1);
  for (txID id = 1; id < root->keyIndex; id++) {
    const char* name = fxGetKeyName(root, id);
    if (!name) name = "";
    hashBytes(hash, name, strlen(name) + 1);
  }
  for (int i = 0; i < ROOT_HASH_SIZE; i++) result[i] = (uint8_t)(hash[i / 8] >> (8 * (i % 8)));
}

static void intern(txMachine* the, const Archive* archive) {
  const char* name = (const char*)archive->symbols;
  for (unsigned i = 0; i < archive->symbolCount; i++) {
    txID expected = (txID)the->keyIndex;
    if (fxNewNameX(the, (txString)name) != expected) hostAbort("archive-invalid", "symbol %s is there twice", name);
    name += strlen(name) + 1;
  }
}

static void preload(txMachine* the, const char* name) {
  gPreloading = name;
  fxBeginHost(the);
  {
    mxTry(the) {
      mxPushStringX((txString)name);
      hostImport(the, mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm);
      while (the->promiseJobs) {
        the->promiseJobs = 0;
        fxRunPromiseJobs(the);
      }
      txSlot* promise = the->stack->value.reference;
      txInteger status = mxPromiseStatus(promise)->value.integer;
      if (status == mxRejectedStatus) {
        mxException.kind = mxPromiseResult(promise)->kind;
        mxException.value = mxPromiseResult(promise)->value;
        abortException(the);
      }
      if (status != mxFulfilledStatus) hostAbort("exception", "preload of %s: it waits for something", name);
      mxPop();
    }
    mxCatch(the) { abortException(the); }
  }
  fxEndHost(the);
  gPreloading = NULL;
}

// A machine that is made of constants marks nothing and moves nothing: chunks that the device's machine may come to
// refer to become constants, as XS's linker would write them.
static void petrifySlot(txSlot* slot) {
  switch (slot->kind) {
    case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
    case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
    case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
    case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
    // Without data of its own a regular expression matches into a temporary.
    case XS_REGEXP_KIND: slot->value.regexp.data = NULL; break;
    case XS_ARRAY_KIND:
      for (txIndex i = 0, c = fxGetIndexSize(NULL, slot); i < c; i++) petrifySlot(slot->value.array.address + i);
      break;
    default: break;
  }
}

static void petrify(txMachine* the) {
  for (txSlot* heap = the->firstHeap; heap; heap = heap->next)
    for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) petrifySlot(slot);
  for (txSlot* slot = the->stack; slot < the->stackTop; slot++) petrifySlot(slot);
}

// ---- freezing ----------------------------------------------------------------------------------------------------

// As Object.freeze, and deep enough for what XS keeps in internal properties.
static void freezeInstance(txSlot* instance) {
  for (txSlot* property = instance->next; property; property = property->next) {
    if (property->kind != XS_ACCESSOR_KIND) property->flag |= XS_DONT_SET_FLAG;
    property->flag |= XS_DONT_DELETE_FLAG;
  }
  instance->flag |= XS_DONT_PATCH_FLAG;
}

// Instances whose contents lie in chunks of the root. Properties cannot be added to them: a copy of the instance in the
// device's machine would share the chunk.
static bool holdsChunk(const txSlot* internal) {
  switch (internal->kind) {
    case XS_ARRAY_BUFFER_KIND:
    case XS_DATA_VIEW_KIND:
    case XS_TYPED_ARRAY_KIND:
    case XS_MAP_KIND:
    case XS_SET_KIND:
    case XS_WEAK_MAP_KIND:
    case XS_WEAK_SET_KIND: return true;
    default: return false;
  }
}

static void freezeFunction(txSlot* function) {
  freezeInstance(function);
  if (!(function->flag & XS_CAN_CONSTRUCT_FLAG)) return;
  for (txSlot* property = function->next; property; property = property->next)
    if ((property->ID == mxID(_prototype)) && (property->kind == XS_REFERENCE_KIND))
      freezeInstance(property->value.reference);
}

// XS's linker freezes built-ins, functions, classes and regular expressions as soon as anything is preloaded: on a
// board `this.name = "x"` in a class that extends Error throws, and so it must here. Maps and buffers are frozen there
// too; here the write protection catches them.
static void freezeHeap(txMachine* the) {
  // The global object stays open, as on boards; below it on the stack lie the intrinsics.
  for (txSlot* slot = the->stack; slot < the->stackTop - mxInstanceInspectorsStackIndex - 1; slot++)
    if (slot->kind == XS_REFERENCE_KIND) freezeInstance(slot->value.reference);
  for (txSlot* heap = the->firstHeap; heap; heap = heap->next) {
    for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) {
      if (slot->kind == XS_INSTANCE_KIND) {
        txSlot* internal = slot->next;
        if (!internal || !(internal->flag & XS_INTERNAL_FLAG)) continue;
        if (mxIsFunction(slot)) freezeFunction(slot);
        else if ((internal->ID == XS_ENVIRONMENT_BEHAVIOR) || (internal->kind == XS_REGEXP_KIND)) freezeInstance(slot);
        else if (holdsChunk(internal)) slot->flag |= XS_DONT_PATCH_FLAG;
      } else if (slot->kind == XS_CLOSURE_KIND) {
        // A binding that holds a function cannot be assigned again.
        txSlot* value = slot->value.closure;
        if ((value->kind == XS_REFERENCE_KIND) && mxIsFunction(value->value.reference)) value->flag |= XS_DONT_SET_FLAG;
      }
    }
  }
}

// XS numbers what the device's machine copies before it writes ("aliases") from 0, and takes the number 0 for "never
// copied": the one that got it gets another.
static bool isOpen(const txSlot* property) {
  if ((property->kind != XS_ACCESSOR_KIND) && !(property->flag & XS_DONT_SET_FLAG)) return true;
  return !(property->flag & XS_DONT_DELETE_FLAG);
}

static bool needsAlias(txSlot* instance) {
  if (!(instance->flag & XS_DONT_PATCH_FLAG)) return true;
  for (txSlot* property = instance->next; property; property = property->next) {
    if (property->kind != XS_ARRAY_KIND) {
      if (isOpen(property)) return true;
      continue;
    }
    for (txIndex i = 0, c = fxGetIndexSize(NULL, property); i < c; i++)
      if (isOpen(property->value.array.address + i)) return true;
  }
  return false;
}

static void numberAliases(txMachine* the) {
  for (txSlot* heap = the->firstHeap; heap; heap = heap->next) {
    for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) {
      if ((slot->kind == XS_INSTANCE_KIND) && (slot->ID == XS_NO_ID) && needsAlias(slot)) {
        slot->ID = the->aliasCount++;
      } else if (slot->kind == XS_CLOSURE_KIND) {
        txSlot* value = slot->value.closure;
        if (!(value->flag & XS_DONT_SET_FLAG) && (value->ID == XS_NO_ID)) value->ID = the->aliasCount++;
      }
    }
  }
}

// The global object caches its look-ups, which writes the root at run time: make it an ordinary object.
static void freezeGlobal(txMachine* the) {
  txSlot* instance = mxGlobal.value.reference;
  txSlot* cache = instance->next;
  if (!cache || (cache->kind != XS_GLOBAL_KIND)) return;
  instance->flag &= (txFlag)~XS_EXOTIC_FLAG;
  instance->next = cache->next;
}

void rootLoad(txMachine* the, const Archive* archive) {
  uint8_t hash[ROOT_HASH_SIZE];
  rootHash(the, hash);
  if (memcmp(hash, archive->rootHash, sizeof hash))
    hostAbort("archive-mismatch", "the archive was linked for another engine");
  unsigned limit = (unsigned)the->keyIndex + archive->symbolCount;
  if (limit > 0xF000) hostAbort("archive-invalid", "too many symbols");
  const char* error = archiveCheckCode(archive, limit);
  if (error) hostAbort("archive-invalid", "%s", error);
  intern(the, archive);
  const char* name = (const char*)archive->preloads;
  for (unsigned i = 0; i < archive->preloadCount; i++, name += strlen(name) + 1) preload(the, name);
  freezeGlobal(the);
  freezeHeap(the);
  fxShareMachine(the);
  numberAliases(the);
  petrify(the);
  if (!osProtect(region.base, REGION_SIZE, false)) hostAbort("crash", "the root cannot be protected");
}

void rootDelete(txMachine* root) {
  osProtect(region.base, REGION_SIZE, true);
  fxDeleteMachine(root);
  osRelease(region.base, REGION_SIZE);
  region.base = region.end = NULL;
}
