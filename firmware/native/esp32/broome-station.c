// The radio of the ESP32 as a Wi-Fi station: one operation each for firmware/device/esp32/station.ts, which keeps them in
// order. ESP-IDF v6.0, esp_wifi.h. IPv4 alone: no link-local IPv6 address is made, so none is waited for.
//
// Not seen on a board: whether every driver release posts a disconnect event after esp_wifi_disconnect() in each state. The
// TypeScript waits a second for it and goes on.
#include "broome-events.h"
#include "broome-field.h"
#include "broome-listener.h"
#include "broome-radio.h"
#include "broome-scan-list.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi.h"

#define HOST_NAME_SIZE 32  // ESP_NETIF_HOSTNAME_MAX_SIZE

static Listener gStation;

// In the program's task. An empty list is a scan that heard nothing; no list is one that failed.
static void deliverScan(void* the, void* refcon, uint8_t* message, uint16_t size) {
  (void)the, (void)refcon, (void)message, (void)size;
  ScanList* list = c_malloc(sizeof(ScanList));
  wifi_ap_record_t found;
  if (list) {
    scanListClear(list);
    while (esp_wifi_scan_get_ap_record(&found) == ESP_OK)
      scanListAdd(list, found.ssid, (uint8_t)strnlen((char*)found.ssid, 32), found.bssid, found.primary, found.rssi,
                  (uint8_t)found.authmode);
  }
  esp_wifi_clear_ap_list();
  listenerCall(&gStation, STATION_SCANNED, list ? list->bytes : NULL, list ? list->count * SCAN_RECORD_SIZE : 0);
  c_free(list);
}

static void postAssociated(const wifi_event_sta_connected_t* connected) {
  uint8_t where[7];  // BSSID and channel
  c_memcpy(where, connected->bssid, 6);
  where[6] = connected->channel;
  listenerPost(&gStation, STATION_ASSOCIATED, where, sizeof where);
}

// In the event task.
static void onWifi(void* context, esp_event_base_t base, int32_t id, void* data) {
  (void)context, (void)base;
  switch (id) {
    case WIFI_EVENT_SCAN_DONE:
      if (((wifi_event_sta_scan_done_t*)data)->status == 0) listenerPostCall(&gStation, deliverScan, NULL);
      else listenerPost(&gStation, STATION_SCANNED, NULL, 0);
      break;
    case WIFI_EVENT_STA_CONNECTED: postAssociated(data); break;
    case WIFI_EVENT_STA_DISCONNECTED:
      listenerPost(&gStation, STATION_LOST, &((wifi_event_sta_disconnected_t*)data)->reason, 1);
      break;
    default: break;
  }
}

static uint32_t nameServer(esp_netif_t* netif, esp_netif_dns_type_t which) {
  esp_netif_dns_info_t info;
  bool known = (esp_netif_get_dns_info(netif, which, &info) == ESP_OK) && (info.ip.type == ESP_IPADDR_TYPE_V4);
  return known ? info.ip.u_addr.ip4.addr : 0;
}

static void onAddress(void* context, esp_event_base_t base, int32_t id, void* data) {
  (void)context, (void)base, (void)id;
  const ip_event_got_ip_t* got = data;
  const uint32_t record[ADDRESS_RECORD_SIZE / 4] = {  // each is in the order of the network already
      got->ip_info.ip.addr, got->ip_info.netmask.addr, got->ip_info.gw.addr,
      nameServer(got->esp_netif, ESP_NETIF_DNS_MAIN), nameServer(got->esp_netif, ESP_NETIF_DNS_BACKUP)};
  listenerPost(&gStation, STATION_ADDRESS, record, sizeof record);
}

// (listener)
void xs_broome_station_listen(xsMachine* the) {
  listenerSet(the, &gStation, &xsArg(0));
  radioOn();
  ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, onWifi, NULL));
  ESP_ERROR_CHECK(esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, onAddress, NULL));
}

// True where it begins.
void xs_broome_station_scan(xsMachine* the) {
  wifi_scan_config_t config = {.scan_type = WIFI_SCAN_TYPE_ACTIVE};  // all channels, none that hides
  xsmcSetBoolean(xsResult, esp_wifi_scan_start(&config, false) == ESP_OK);
}

// (name, password, BSSID or undefined, channel or 0): true where it begins. The driver takes a name up to its first zero:
// one that holds a zero cannot be joined.
void xs_broome_station_join(xsMachine* the) {
  wifi_config_t config = {0};
  fieldOfBytes(the, &xsArg(0), config.sta.ssid, sizeof config.sta.ssid);
  fieldOfString(the, &xsArg(1), config.sta.password, sizeof config.sta.password);
  if (xsmcTest(xsArg(2))) {
    fieldOfBytes(the, &xsArg(2), config.sta.bssid, sizeof config.sta.bssid);
    config.sta.bssid_set = true;
  }
  config.sta.channel = (uint8_t)xsmcToInteger(xsArg(3));
  config.sta.scan_method = WIFI_FAST_SCAN;  // the first that fits: no round over all channels
  // Without a threshold of its own the driver asks for WPA2 wherever there is a password.
  config.sta.threshold.authmode = config.sta.password[0] ? WIFI_AUTH_WPA_PSK : WIFI_AUTH_OPEN;
  config.sta.pmf_cfg.capable = true;
  config.sta.sae_pwe_h2e = WPA3_SAE_PWE_BOTH;
  bool begun = (esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK) && (esp_wifi_connect() == ESP_OK);
  xsmcSetBoolean(xsResult, begun);
}

// True where an event will tell that it is over.
void xs_broome_station_leave(xsMachine* the) { xsmcSetBoolean(xsResult, esp_wifi_disconnect() == ESP_OK); }

// (name): for the next lease; what would be wrong with it was checked before. ESP-IDF copies it, and begins a lease anew with
// each association.
void xs_broome_station_host_name(xsMachine* the) {
  char name[HOST_NAME_SIZE + 1] = {0};
  fieldOfString(the, &xsArg(0), (uint8_t*)name, HOST_NAME_SIZE);
  esp_netif_set_hostname(esp_netif_get_handle_from_ifkey("WIFI_STA_DEF"), name);  // without it the router shows ESP-IDF's name
}

void xs_broome_station_rssi(xsMachine* the) {
  int rssi;
  if (esp_wifi_sta_get_rssi(&rssi) == ESP_OK) xsmcSetInteger(xsResult, rssi);
}
