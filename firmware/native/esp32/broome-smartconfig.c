// ESP-Touch of the ESP32, v1 and v2: ESP-IDF v6.0, esp_smartconfig.h. The credentials are handed to the program; ESP-IDF's own
// code joins nothing by itself, but once there is an address it tells the phone (smartconfig_ack.c), unless it was stopped.
//
// Not seen on a board: how long reserved data is (esp_smartconfig_get_rvd_data() fills a field and does not tell; the vendor's
// examples give it 33 bytes, its app sends 64), and whether v2 with a key also hears what is in the clear: it would be taken for
// sealed here.
#include "broome-events.h"
#include "broome-listener.h"
#include "broome-radio.h"
#include "broome-touch-record.h"
#include "esp_event.h"
#include "esp_smartconfig.h"

#define KEY_SIZE 16

static Listener gTouch;
static char gKey[KEY_SIZE + 1];  // ESP-IDF keeps the pointer
static bool gListening;

static void postCredentials(const smartconfig_event_got_ssid_pswd_t* heard) {
  uint8_t record[TOUCH_RECORD_SIZE], reserved[TOUCH_RESERVED_SIZE] = {0}, flags = 0;
  bool second = heard->type == SC_TYPE_ESPTOUCH_V2;
  if (second) {
    flags = gKey[0] ? TOUCH_V2 | TOUCH_ENCRYPTED : TOUCH_V2;
    if (esp_smartconfig_get_rvd_data(reserved, sizeof reserved) != ESP_OK) memset(reserved, 0, sizeof reserved);
  }
  size_t size = touchRecord(record, flags, heard->ssid, heard->password, second ? reserved : NULL);
  listenerPost(&gTouch, TOUCH_CREDENTIALS, record, (uint16_t)size);
}

static void onTouch(void* context, esp_event_base_t base, int32_t id, void* data) {
  (void)context, (void)base;
  switch (id) {
    case SC_EVENT_FOUND_CHANNEL: listenerPost(&gTouch, TOUCH_CHANNEL, NULL, 0); break;
    case SC_EVENT_GOT_SSID_PSWD: postCredentials(data); break;
    case SC_EVENT_SEND_ACK_DONE: listenerPost(&gTouch, TOUCH_ACKNOWLEDGED, NULL, 0); break;
    default: break;
  }
}

static void stop(void) {
  if (!gListening) return;
  gListening = false;
  esp_smartconfig_stop();
  esp_event_handler_unregister(SC_EVENT, ESP_EVENT_ANY_ID, onTouch);
  listenerClear(&gTouch);
  memset(gKey, 0, sizeof gKey);
}

static esp_err_t start(bool second) {
  smartconfig_start_config_t config = SMARTCONFIG_START_CONFIG_DEFAULT();
  config.esp_touch_v2_enable_crypt = gKey[0] != 0;
  config.esp_touch_v2_key = gKey[0] ? gKey : NULL;
  esp_err_t error = esp_smartconfig_set_type(second ? SC_TYPE_ESPTOUCH_V2 : SC_TYPE_ESPTOUCH);
  if (error == ESP_OK) error = esp_event_handler_register(SC_EVENT, ESP_EVENT_ANY_ID, onTouch, NULL);
  return error == ESP_OK ? esp_smartconfig_start(&config) : error;
}

// (version, key or undefined, listener): 0, or ESP-IDF's error. The key goes with version 2.
void xs_broome_touch_start(xsMachine* the) {
  stop();
  radioOn();
  if (xsmcTest(xsArg(1))) xsmcToStringBuffer(xsArg(1), gKey, sizeof gKey);
  listenerSet(the, &gTouch, &xsArg(2));
  gListening = true;
  esp_err_t error = start(xsmcToInteger(xsArg(0)) == 2);
  if (error != ESP_OK) stop();
  xsmcSetInteger(xsResult, error);
}

void xs_broome_touch_stop(xsMachine* the) {
  (void)the;
  stop();
}
