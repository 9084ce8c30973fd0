// Wi-Fi of the ESP32 as a station, and nothing of it in NVS.
#ifndef BROOME_RADIO_H
#define BROOME_RADIO_H

// Starts it, once; does nothing where it runs already. Hardware randomness is fit for keys only from then on
// (esp_random.h).
void radioOn(void);

#endif
