// From the chip's events to a function of the program: see the header. An exception that the function throws goes up to the
// machine's own handler, as those of the SDK's callbacks do.
#ifdef __ets__  // the boards; a lin build has no chip

#include "broome-listener.h"

void listenerSet(xsMachine* the, Listener* listener, xsSlot* slot) {
  listenerClear(listener);
  listener->the = the;
  listener->callback = *slot;
  xsRemember(listener->callback);
}

void listenerClear(Listener* listener) {
  xsMachine* the = listener->the;
  if (!the) return;
  xsForget(listener->callback);
  listener->the = NULL;
}

static void deliver(void* the, void* refcon, uint8_t* message, uint16_t size) {
  (void)the;
  listenerCall(refcon, message[0], size > 1 ? message + 1 : NULL, size - 1);
}

void listenerPost(Listener* listener, uint8_t kind, const void* bytes, uint16_t size) {
  uint8_t message[1 + LISTENER_MOST];
  xsMachine* the = listener->the;
  if (!the || (size > LISTENER_MOST)) return;
  message[0] = kind;
  if (size) c_memcpy(message + 1, bytes, size);
  modMessagePostToMachine(the, message, (uint16_t)(1 + size), deliver, listener);
}

int listenerPostCall(Listener* listener, modMessageDeliver call, void* refcon) {
  xsMachine* the = listener->the;
  return the ? modMessagePostToMachine(the, NULL, 0, call, refcon) : -1;
}

void listenerCall(Listener* listener, uint8_t kind, const void* bytes, int size) {
  if (!listener->the) return;
  xsBeginHost(listener->the);
  xsmcVars(2);
  xsmcSetInteger(xsVar(0), kind);
  if (bytes) xsmcSetArrayBuffer(xsVar(1), (void*)bytes, size);
  xsCallFunction2(listener->callback, xsGlobal, xsVar(0), xsVar(1));
  xsEndHost(listener->the);
}

#endif
