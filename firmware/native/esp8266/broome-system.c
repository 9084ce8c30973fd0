// The ESP8266 itself: SDK 2.3.0's user_interface.h and osapi.h.
#include "broome-radio.h"
#include "broome-uptime.h"
#include "xsmc.h"
#include "xsHost.h"
#include "osapi.h"
#include "user_interface.h"

#define MAX_RANDOM 4096  // bytes
#define FIFO_US 12000    // 128 bytes at 115200 baud

void xs_broome_mac(xsMachine* the) {
  uint8_t mac[6];
  wifi_get_macaddr(STATION_IF, mac);
  xsmcSetArrayBuffer(xsResult, mac, sizeof mac);
}

// rst_reason; firmware/device/sdk/reset-causes.ts has the words.
void xs_broome_reset_cause(xsMachine* the) { xsmcSetInteger(xsResult, (xsIntegerValue)system_get_rst_info()->reason); }

// What was logged goes out first: the last line says why. The SDK restarts when it gets its turn; nothing of the program
// runs until then.
void xs_broome_restart(xsMachine* the) {
  (void)the;
  os_delay_us(FIFO_US);
  c_exit(0);
}

void xs_broome_uptime(xsMachine* the) {
  static Uptime uptime;
  xsmcSetNumber(xsResult, uptimeMs(&uptime, system_get_time()));
}

void xs_broome_feed(xsMachine* the) {
  (void)the;
  system_soft_wdt_feed();
}

// (length): bytes fit for keys.
void xs_broome_random(xsMachine* the) {
  xsIntegerValue length = xsmcToInteger(xsArg(0));
  if ((length < 0) || (length > MAX_RANDOM)) xsRangeError("too long");
  radioOn();
  xsmcSetArrayBuffer(xsResult, NULL, length);
  os_get_random(xsmcToArrayBuffer(xsResult), (size_t)length);
}
