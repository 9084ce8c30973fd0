// The strongest networks of a scan, in records that firmware/device/sdk/scan-record.ts reads. Portable C, no memory of its own.
#ifndef BROOME_SCAN_LIST_H
#define BROOME_SCAN_LIST_H

#include <stdint.h>

// A record: length of the name, 32 bytes of name, 6 of BSSID, channel, signal in dBm, the chip's own kind of lock.
#define SCAN_RECORD_SIZE 42
// The program keeps the records as they are while a person chooses among them.
#define SCAN_RECORDS 16

typedef struct {
  uint8_t bytes[SCAN_RECORDS * SCAN_RECORD_SIZE];  // strongest first
  uint8_t count;
} ScanList;

void scanListClear(ScanList* list);

// Takes its place by signal, or none where the list is full of stronger ones. A hidden network (no name) has none either;
// a name of more than 32 bytes is no name.
void scanListAdd(ScanList* list, const uint8_t* ssid, uint8_t ssidLength, const uint8_t bssid[6], uint8_t channel,
                 int8_t rssi, uint8_t lock);

#endif
