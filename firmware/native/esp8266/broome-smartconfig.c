// ESP-Touch v1 of the ESP8266 (SDK 2.3.0, smartconfig.h; it does not know v2). The credentials are handed to the program: the
// SDK's example would apply them here. Once there is an address the SDK's own code tells the phone, unless it was stopped.
//
// Not seen on a board: that acknowledgement. It goes by the SDK's espconn, whose start the Moddable SDK leaves out.
#include "broome-events.h"
#include "broome-listener.h"
#include "broome-radio.h"
#include "broome-touch-record.h"
#include "c_types.h"
#include "smartconfig.h"
#include "user_interface.h"

static Listener gTouch;
static bool gListening;

static void onTouch(sc_status status, void* data) {
  if (status == SC_STATUS_GETTING_SSID_PSWD) listenerPost(&gTouch, TOUCH_CHANNEL, NULL, 0);
  else if (status == SC_STATUS_LINK_OVER) listenerPost(&gTouch, TOUCH_ACKNOWLEDGED, NULL, 0);
  else if (status == SC_STATUS_LINK) {
    const struct station_config* heard = data;
    uint8_t record[TOUCH_RECORD_SIZE];
    size_t size = touchRecord(record, 0, heard->ssid, heard->password, NULL);
    listenerPost(&gTouch, TOUCH_CREDENTIALS, record, (uint16_t)size);
  }
}

static void stop(void) {
  if (!gListening) return;
  gListening = false;
  smartconfig_stop();
  listenerClear(&gTouch);
}

// (1, undefined, listener): 0, or 1 where the SDK would not begin.
void xs_broome_touch_start(xsMachine* the) {
  stop();
  radioOn();
  listenerSet(the, &gTouch, &xsArg(2));
  gListening = true;
  bool begun = smartconfig_set_type(SC_TYPE_ESPTOUCH) && smartconfig_start(onTouch);
  if (!begun) stop();
  xsmcSetInteger(xsResult, begun ? 0 : 1);
}

void xs_broome_touch_stop(xsMachine* the) {
  (void)the;
  stop();
}
