// Wi-Fi of the ESP8266 as a station: see the header. ESP8266 NONOS SDK 2.3.0, user_interface.h.
#include "broome-radio.h"

#include "c_types.h"
#include "user_interface.h"

void radioOn(void) {
  if (wifi_get_opmode() != STATION_MODE) wifi_set_opmode_current(STATION_MODE);  // the SDK for boards starts in NULL_MODE
  wifi_set_sleep_type(NONE_SLEEP_T);  // it feeds the random number generator, and DHCP suffers from sleep
  wifi_station_set_reconnect_policy(false);  // which network is tried is the firmware's to say
  if (wifi_station_get_auto_connect()) wifi_station_set_auto_connect(0);  // writes flash: only where it is set
}
