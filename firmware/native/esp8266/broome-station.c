// The radio of the ESP8266 as a Wi-Fi station: one operation each for firmware/device/esp8266/station.ts, which keeps them in
// order. ESP8266 NONOS SDK 2.3.0, user_interface.h. The SDK has one event handler, and this is it: the Moddable SDK's own
// Wi-Fi modules must not be in the same build.
//
// Not seen on a board: whether the connect status is up to date when the disconnect event comes.
#include "broome-events.h"
#include "broome-field.h"
#include "broome-listener.h"
#include "broome-name-servers.h"
#include "broome-radio.h"
#include "broome-scan-list.h"
#include "user_interface.h"

#define HOST_NAME_SIZE 32  // as the SDK's programming guide bounds it

static Listener gStation;
static bool gAddressed;  // of this association: what the connect status said before does not count any more

static void deliverScan(void* the, void* refcon, uint8_t* message, uint16_t size) {
  (void)the, (void)message, (void)size;
  ScanList* list = refcon;
  listenerCall(&gStation, STATION_SCANNED, list->bytes, list->count * SCAN_RECORD_SIZE);
  c_free(list);
}

// The SDK's list is gone when this returns: it is copied, and the program called in a turn of its own.
static void onScanned(void* found, STATUS status) {
  ScanList* list = status == OK && gStation.the ? c_malloc(sizeof(ScanList)) : NULL;
  if (!list) {
    listenerPost(&gStation, STATION_SCANNED, NULL, 0);
    return;
  }
  scanListClear(list);
  for (struct bss_info* bss = found; bss; bss = STAILQ_NEXT(bss, next))
    scanListAdd(list, bss->ssid, bss->ssid_len, bss->bssid, bss->channel, bss->rssi, (uint8_t)bss->authmode);
  if (listenerPostCall(&gStation, deliverScan, list) != 0) c_free(list);
}

static void postAssociated(const Event_StaMode_Connected_t* connected) {
  uint8_t where[7];  // BSSID and channel
  c_memcpy(where, connected->bssid, 6);
  where[6] = connected->channel;
  listenerPost(&gStation, STATION_ASSOCIATED, where, sizeof where);
}

static void postAddress(const Event_StaMode_Got_IP_t* got) {
  // Each is in the order of the network already.
  uint32_t record[ADDRESS_RECORD_SIZE / 4] = {got->ip.addr, got->mask.addr, got->gw.addr};
  nameServers(record + 3);
  gAddressed = true;
  listenerPost(&gStation, STATION_ADDRESS, record, sizeof record);
}

static void onEvent(System_Event_t* event) {
  switch (event->event) {
    case EVENT_STAMODE_CONNECTED: postAssociated(&event->event_info.connected); break;
    case EVENT_STAMODE_GOT_IP: postAddress(&event->event_info.got_ip); break;
    case EVENT_STAMODE_DISCONNECTED: {  // reason and connect status: wifi-reasons.ts makes one code of them
      uint8_t lost[2] = {event->event_info.disconnected.reason, gAddressed ? 0 : wifi_station_get_connect_status()};
      listenerPost(&gStation, STATION_LOST, lost, sizeof lost);
      break;
    }
    default: break;
  }
}

// (listener)
void xs_broome_station_listen(xsMachine* the) {
  listenerSet(the, &gStation, &xsArg(0));
  radioOn();
  wifi_set_event_handler_cb(onEvent);
}

// True where it begins.
void xs_broome_station_scan(xsMachine* the) {
  struct scan_config config;
  radioOn();
  c_memset(&config, 0, sizeof config);  // all channels, none that hides
  xsmcSetBoolean(xsResult, wifi_station_scan(&config, onScanned));
}

// (name, password, BSSID or undefined, channel or 0): true where it begins. The SDK takes a name up to its first zero: one
// that holds a zero cannot be joined. There is no threshold: an open network of the same name takes a password for none.
void xs_broome_station_join(xsMachine* the) {
  struct station_config config;
  radioOn();
  c_memset(&config, 0, sizeof config);
  fieldOfBytes(the, &xsArg(0), config.ssid, sizeof config.ssid);
  fieldOfString(the, &xsArg(1), config.password, sizeof config.password);
  if (xsmcTest(xsArg(2))) {
    fieldOfBytes(the, &xsArg(2), config.bssid, sizeof config.bssid);
    config.bssid_set = 1;
  }
  int channel = xsmcToInteger(xsArg(3));
  gAddressed = false;
  if (channel) wifi_set_channel((uint8)channel);  // where its search begins
  bool begun = wifi_station_set_config_current(&config) && wifi_station_connect();
  xsmcSetBoolean(xsResult, begun);
}

// True where an event may tell that it is over.
void xs_broome_station_leave(xsMachine* the) { xsmcSetBoolean(xsResult, wifi_station_disconnect()); }

// (name): for the next lease; what would be wrong with it was checked before. The SDK copies it: Arduino's core passes it strings
// that go at once.
void xs_broome_station_host_name(xsMachine* the) {
  char name[HOST_NAME_SIZE + 1] = {0};
  fieldOfString(the, &xsArg(0), (uint8_t*)name, HOST_NAME_SIZE);
  radioOn();  // it takes none while the radio is off
  wifi_station_set_hostname(name);
}

// 31 is the SDK's word for none.
void xs_broome_station_rssi(xsMachine* the) {
  sint8 rssi = wifi_station_get_rssi();
  if (rssi < 31) xsmcSetInteger(xsResult, rssi);
}
