// Wi-Fi of the ESP8266 as a station: it starts with its radio off, and would join by itself what its own flash remembers.
#ifndef BROOME_RADIO_H
#define BROOME_RADIO_H

// Switches it on, once. Hardware randomness is fit for keys only from then on.
void radioOn(void);

#endif
