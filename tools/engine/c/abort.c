// How a machine ends: every way ends in one frame that says why, and never in a signal.
#include <signal.h>
#include <unistd.h>

#include "host.h"

#define MESSAGE_SIZE 512
#define SIGNAL_STACK_SIZE 65536

bool gRunning;
static bool gAborting;

void hostAbort(const char* status, const char* format, ...) {
  char message[MESSAGE_SIZE];
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

void abortException(txMachine* the, const char* what) {
  char message[MESSAGE_SIZE / 2];
  describeException(the, message, sizeof message);
  if (gPreloading) hostAbort("exception", "preload of %s: %s", gPreloading, message);
  (void)what;
  hostAbort("exception", "%s", message);
}

// The module whose code runs: the first frame of a function that knows its module.
static const char* runningModule(txMachine* the) {
  for (txSlot* frame = the ? the->frame : NULL; frame; frame = frame->next) {
    txSlot* function = frame + 3;
    if ((function->kind != XS_REFERENCE_KIND) || !mxIsFunction(function->value.reference)) continue;
    txSlot* home = mxFunctionInstanceHome(function->value.reference);
    if ((home->kind != XS_HOME_KIND) || !home->value.home.module) continue;
    const char* name = fxGetKeyName(the, mxModuleInstanceInternal(home->value.home.module)->value.module.id);
    if (name) return name;
  }
  return NULL;
}

// ---- XS's aborts -------------------------------------------------------------------------------------------------

void fxAbort(txMachine* the, int status) {
  char message[MESSAGE_SIZE / 2];
  switch (status) {
    case XS_NOT_ENOUGH_MEMORY_EXIT:
      if (the->sharedMachine) arenaDescribe(message, sizeof message);
      else snprintf(message, sizeof message, "the root machine is full");
      hostAbort("memory full", "%s", message);
    case XS_STACK_OVERFLOW_EXIT: {
      const char* module = runningModule(the);
      hostAbort("stack overflow", "%d slots in %s", (int)(the->stackTop - the->stackBottom), module ? module : "?");
    }
    case XS_UNHANDLED_EXCEPTION_EXIT:
    case XS_UNHANDLED_REJECTION_EXIT: abortException(the, "promise");
    case XS_NO_MORE_KEYS_EXIT: hostAbort("memory full", "too many property names");
    case XS_TOO_MUCH_COMPUTATION_EXIT: hostAbort("crash", "too much computation");
    default: hostAbort("crash", "XS status %d", status);
  }
}

// ---- signals -----------------------------------------------------------------------------------------------------

static void onFault(int number, siginfo_t* info, void* context) {
  (void)context;
  if ((number != SIGSEGV) && (number != SIGBUS)) hostAbort("crash", "signal %d", number);
  const char* module = gPreloading ? gPreloading : runningModule(gMachine);
  if (rootContains(info->si_addr))
    hostAbort("root-write", "module %s writes what a preloaded module made: that lies in flash on a board",
              module ? module : "?");
  hostAbort("crash", "signal %d in module %s", number, module ? module : "?");
}

void abortInstallSignals(void) {
  static uint8_t stack[SIGNAL_STACK_SIZE];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}
