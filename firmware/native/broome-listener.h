// From the chip's events to a function of the program: an event may come in any task (ESP32) or in the midst of the SDK's own
// work (ESP8266); the program is called in a turn of its own, with a kind and, where there are any, bytes.
#ifndef BROOME_LISTENER_H
#define BROOME_LISTENER_H

#include "xsmc.h"
#include "xsHost.h"

// Bytes that an event may bring.
#define LISTENER_MOST 192

typedef struct {
  xsMachine* the;  // NULL: nobody listens
  xsSlot callback;
} Listener;

// Takes the function in `slot`; the one before it is let go.
void listenerSet(xsMachine* the, Listener* listener, xsSlot* slot);
void listenerClear(Listener* listener);

// From wherever the event came; of more than LISTENER_MOST bytes nothing is told.
void listenerPost(Listener* listener, uint8_t kind, const void* bytes, uint16_t size);
// In a turn of its own, what cannot be told in so few bytes: `deliver` gets `refcon` and calls the program itself. 0 where it
// will; else there was no memory, and `refcon` is the caller's still.
int listenerPostCall(Listener* listener, modMessageDeliver deliver, void* refcon);

// In the program's own turn. NULL: a kind alone.
void listenerCall(Listener* listener, uint8_t kind, const void* bytes, int size);

#endif
