// Wi-Fi of the ESP32 as a station: see the header. ESP-IDF v6.0, esp_wifi.h.
#include "broome-radio.h"

#include <stdbool.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi.h"

void radioOn(void) {
  static bool on;
  if (on) return;
  on = true;
  ESP_ERROR_CHECK(esp_netif_init());
  esp_err_t loop = esp_event_loop_create_default();
  if (loop != ESP_ERR_INVALID_STATE) ESP_ERROR_CHECK(loop);  // that one: the SDK has made it already
  esp_netif_create_default_wifi_sta();
  wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
  config.nvs_enable = 0;  // which network is tried is the firmware's to say, not that of an earlier program
  ESP_ERROR_CHECK(esp_wifi_init(&config));
  ESP_ERROR_CHECK(esp_wifi_set_storage(WIFI_STORAGE_RAM));
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
  ESP_ERROR_CHECK(esp_wifi_start());
  // The radio does not sleep between beacons: it feeds the random number generator.
  ESP_ERROR_CHECK(esp_wifi_set_ps(WIFI_PS_NONE));
}
