// How a machine ends: every way ends in one frame that says why, and never in a signal.
#include <unistd.h>

#include "host.h"

#define MESSAGE_SIZE 512
// 32 calls (lines.c) of some 40 characters.
#define TRACE_SIZE 2048

bool gRunning;
static bool gAborting;

void hostAbort(const char* status, const char* format, ...) {
  char message[TRACE_SIZE + MESSAGE_SIZE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (!gAborting) {
    gAborting = true;
    if (gRunning) busAbort(status, message);
    else fprintf(stderr, "%s: %s\n", status, message);
  }
  fflush(stderr);
  _exit(1);
}

// ---- words -------------------------------------------------------------------------------------------------------

static const char* textOf(txMachine* the, txSlot* instance, txID id) {
  txSlot* property = mxBehaviorGetProperty(the, instance, id, 0, XS_ANY);
  if (!property || ((property->kind != XS_STRING_KIND) && (property->kind != XS_STRING_X_KIND))) return NULL;
  return property->value.string;
}

void describeException(txMachine* the, char* buffer, size_t size) {
  txSlot* slot = &mxException;
  switch (slot->kind) {
    case XS_REFERENCE_KIND: {
      txSlot* instance = slot->value.reference;
      if (mxIsProxy(instance)) break;
      const char* name = textOf(the, instance, mxID(_name));
      const char* message = textOf(the, instance, mxID(_message));
      snprintf(buffer, size, "%s%s%s", name ? name : "object", message && *message ? ": " : "",
               message ? message : "");
      return;
    }
    case XS_STRING_KIND:
    case XS_STRING_X_KIND: snprintf(buffer, size, "%s", slot->value.string); return;
    case XS_INTEGER_KIND: snprintf(buffer, size, "%d", (int)slot->value.integer); return;
    case XS_NUMBER_KIND: snprintf(buffer, size, "%g", slot->value.number); return;
    case XS_UNDEFINED_KIND: snprintf(buffer, size, "undefined"); return;
    case XS_NULL_KIND: snprintf(buffer, size, "null"); return;
    default: break;
  }
  snprintf(buffer, size, "a value");
}

// " at module:line" of the innermost function of the device's code in the error's stack, or nothing.
static void describePlace(txMachine* the, char* buffer, size_t size) {
  buffer[0] = 0;
  if ((mxException.kind != XS_REFERENCE_KIND) || mxIsProxy(mxException.value.reference)) return;
  txSlot* internal = mxException.value.reference->next;
  if (!internal || (internal->kind != XS_ERROR_KIND) || !internal->value.error.info) return;
  for (txSlot* slot = internal->value.error.info->next; slot; slot = slot->next) {
    const char* module = (slot->ID != XS_NO_ID) ? fxGetKeyName(the, slot->ID) : NULL;
    if (!module) continue;
    if (slot->value.key.sum) snprintf(buffer, size, " at %s:%u", module, (unsigned)slot->value.key.sum);
    else snprintf(buffer, size, " at %s", module);
    return;
  }
}

void abortException(txMachine* the) {
  char message[MESSAGE_SIZE / 2], place[MODULE_NAME_LIMIT];
  describeException(the, message, sizeof message);
  describePlace(the, place, sizeof place);
  if (gPreloading) hostAbort("exception", "preload of %s: %s%s", gPreloading, message, place);
  hostAbort("exception", "%s%s", message, place);
}

// ---- XS's aborts -------------------------------------------------------------------------------------------------

void fxAbort(txMachine* the, int status) {
  char message[MESSAGE_SIZE / 2], trace[TRACE_SIZE], place[MODULE_NAME_LIMIT] = "?";
  linesWhere(the, place, sizeof place);
  switch (status) {
    case XS_NOT_ENOUGH_MEMORY_EXIT:
      if (the->sharedMachine) arenaDescribe(message, sizeof message);
      else snprintf(message, sizeof message, "the root machine is full");
      hostAbort("memory full", "%s at %s", message, place);
    STACK_OVERFLOW_CASES:
      linesTrace(the, trace, sizeof trace);
      hostAbort("stack overflow", "%d slots at %s", (int)(the->stackTop - the->stackBottom), trace);
    case XS_UNHANDLED_EXCEPTION_EXIT:
    case XS_UNHANDLED_REJECTION_EXIT: abortException(the);
    case XS_NO_MORE_KEYS_EXIT: hostAbort("memory full", "too many property names");
    case XS_TOO_MUCH_COMPUTATION_EXIT: hostAbort("crash", "too much computation");
    default: hostAbort("crash", "XS status %d", status);
  }
}

// ---- faults ------------------------------------------------------------------------------------------------------

static void onFault(int number, const void* address) {
  char place[MODULE_NAME_LIMIT] = "?";
  linesWhere(gMachine, place, sizeof place);
  if (rootContains(address))
    hostAbort("root-write", "%s writes what a preloaded module made: that lies in flash on a board", place);
  hostAbort("crash", "signal %d at %s", number, gPreloading ? gPreloading : place);
}

void abortCatchFaults(void) { osCatchFaults(onFault); }
