// The ESP32 itself: ESP-IDF v6.0's esp_system.h, esp_mac.h, esp_timer.h, esp_random.h, esp_task_wdt.h.
#include "broome-radio.h"
#include "driver/uart.h"
#include "esp_mac.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "xsmc.h"
#include "xsHost.h"

#define MAX_RANDOM 4096  // bytes
#define LAST_LINE_MS 200

void xs_broome_chip(xsMachine* the) { xsmcSetString(xsResult, CONFIG_IDF_TARGET); }

void xs_broome_mac(xsMachine* the) {
  uint8_t mac[6];
  ESP_ERROR_CHECK(esp_read_mac(mac, ESP_MAC_WIFI_STA));
  xsmcSetArrayBuffer(xsResult, mac, sizeof mac);
}

// esp_reset_reason_t; firmware/device/sdk/reset-causes.ts has the words.
void xs_broome_reset_cause(xsMachine* the) { xsmcSetInteger(xsResult, esp_reset_reason()); }

// What was logged goes out first: the last line says why.
void xs_broome_restart(xsMachine* the) {
  (void)the;
  if (uart_is_driver_installed(UART_NUM_0)) uart_wait_tx_done(UART_NUM_0, pdMS_TO_TICKS(LAST_LINE_MS));
  esp_restart();
}

// Microseconds in 64 bits: it does not wrap.
void xs_broome_uptime(xsMachine* the) { xsmcSetNumber(xsResult, (xsNumberValue)(esp_timer_get_time() / 1000)); }

// The program's task is subscribed by the SDK where the task watchdog is on (build/devices/esp32/lib/main/main.c).
void xs_broome_feed(xsMachine* the) {
  (void)the;
#if CONFIG_ESP_TASK_WDT_EN
  esp_task_wdt_reset();
#endif
}

// (length): bytes fit for keys.
void xs_broome_random(xsMachine* the) {
  xsIntegerValue length = xsmcToInteger(xsArg(0));
  if ((length < 0) || (length > MAX_RANDOM)) xsRangeError("random: %d bytes", (int)length);
  radioOn();
  xsmcSetArrayBuffer(xsResult, NULL, length);
  esp_fill_random(xsmcToArrayBuffer(xsResult), (size_t)length);
}
