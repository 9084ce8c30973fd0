// What the boards' C tells the TypeScript of station and ESP-Touch: the same numbers as in firmware/device/sdk's
// serial-station.ts and touch-listener.ts.
#ifndef BROOME_EVENTS_H
#define BROOME_EVENTS_H

enum { STATION_SCANNED = 0, STATION_ASSOCIATED = 1, STATION_ADDRESS = 2, STATION_LOST = 3 };
enum { TOUCH_CHANNEL = 0, TOUCH_CREDENTIALS = 1, TOUCH_ACKNOWLEDGED = 2 };

// Five IPv4 addresses in the order of the network: own, mask, gateway, two name servers (address-record.ts).
#define ADDRESS_RECORD_SIZE 20

#endif
