// The strongest networks of a scan: see the header.
#include "broome-scan-list.h"

#include <string.h>

#define SSID_SIZE 32
#define BSSID_AT 33
#define CHANNEL_AT 39
#define RSSI_AT 40
#define LOCK_AT 41

void scanListClear(ScanList* list) { list->count = 0; }

static uint8_t* recordAt(ScanList* list, unsigned index) { return list->bytes + index * SCAN_RECORD_SIZE; }

void scanListAdd(ScanList* list, const uint8_t* ssid, uint8_t ssidLength, const uint8_t bssid[6], uint8_t channel,
                 int8_t rssi, uint8_t lock) {
  if ((ssidLength == 0) || (ssidLength > SSID_SIZE)) return;
  unsigned at = list->count;
  while ((at > 0) && ((int8_t)recordAt(list, at - 1)[RSSI_AT] < rssi)) at--;
  if (at == SCAN_RECORDS) return;
  unsigned kept = list->count < SCAN_RECORDS ? list->count : SCAN_RECORDS - 1;  // of a full list the weakest goes
  memmove(recordAt(list, at + 1), recordAt(list, at), (kept - at) * SCAN_RECORD_SIZE);
  list->count = (uint8_t)(kept + 1);
  uint8_t* record = recordAt(list, at);
  memset(record, 0, SCAN_RECORD_SIZE);
  record[0] = ssidLength;
  memcpy(record + 1, ssid, ssidLength);
  memcpy(record + BSSID_AT, bssid, 6);
  record[CHANNEL_AT] = channel;
  record[RSSI_AT] = (uint8_t)rssi;
  record[LOCK_AT] = lock;
}
