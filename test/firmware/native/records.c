// The portable C of the boards behind a small command language, one line each: what it answers is compared in records.test.ts.
//   clear | events | add SSID BSSID CHANNEL RSSI LOCK | list | touch FLAGS SSID PASSWORD RESERVED | uptime COUNTER
// Bytes are in hexadecimal, "-" is none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broome-events.h"
#include "broome-scan-list.h"
#include "broome-touch-record.h"
#include "broome-uptime.h"

#define LINE_SIZE 1024

// Exactly as many bytes as there are, so that valgrind sees one that is read too many.
static uint8_t* bytesOf(const char* hex, size_t* size) {
  *size = strcmp(hex, "-") ? strlen(hex) / 2 : 0;
  uint8_t* bytes = malloc(*size ? *size : 1);
  for (size_t i = 0; i < *size; i++) {
    unsigned byte;
    sscanf(hex + 2 * i, "%2x", &byte);
    bytes[i] = (uint8_t)byte;
  }
  return bytes;
}

static void print(const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void add(ScanList* list, const char* arguments) {
  char ssid[LINE_SIZE], bssid[LINE_SIZE];
  int channel, rssi, lock;
  size_t length, six;
  if (sscanf(arguments, "%s %s %d %d %d", ssid, bssid, &channel, &rssi, &lock) != 5) abort();
  uint8_t* name = bytesOf(ssid, &length);
  uint8_t* address = bytesOf(bssid, &six);
  scanListAdd(list, name, (uint8_t)length, address, (uint8_t)channel, (int8_t)rssi, (uint8_t)lock);
  free(name);
  free(address);
}

static void touch(const char* arguments) {
  char fields[3][LINE_SIZE];
  uint8_t* parts[3];
  size_t sizes[3];
  int flags;
  if (sscanf(arguments, "%d %s %s %s", &flags, fields[0], fields[1], fields[2]) != 4) abort();
  for (int i = 0; i < 3; i++) parts[i] = bytesOf(fields[i], &sizes[i]);
  uint8_t* record = malloc(TOUCH_RECORD_SIZE);
  print(record, touchRecord(record, (uint8_t)flags, parts[0], parts[1], sizes[2] ? parts[2] : NULL));
  for (int i = 0; i < 3; i++) free(parts[i]);
  free(record);
}

int main(void) {
  char line[LINE_SIZE];
  ScanList* list = malloc(sizeof(ScanList));
  Uptime uptime = {0, 0};
  scanListClear(list);
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "clear", 5)) scanListClear(list);
    else if (!strncmp(line, "add ", 4)) add(list, line + 4);
    else if (!strncmp(line, "list", 4)) print(list->bytes, (size_t)list->count * SCAN_RECORD_SIZE);
    else if (!strncmp(line, "touch ", 6)) touch(line + 6);
    else if (!strncmp(line, "uptime ", 7)) printf("%.0f\n", uptimeMs(&uptime, (uint32_t)strtoul(line + 7, NULL, 10)));
    else if (!strncmp(line, "events", 6))
      printf("%d %d %d %d %d %d %d %d %d\n", STATION_SCANNED, STATION_ASSOCIATED, STATION_ADDRESS, STATION_LOST,
             TOUCH_CHANNEL, TOUCH_CREDENTIALS, TOUCH_ACKNOWLEDGED, ADDRESS_RECORD_SIZE, SCAN_RECORD_SIZE);
  }
  free(list);
  return 0;
}
