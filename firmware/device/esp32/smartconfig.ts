// `device/smartconfig` of the ESP32: ESP-Touch v1 and v2 by turns (native/esp32/broome-smartconfig.c).

import timer from "../sdk/timer.js";
import { TouchListener, type TouchDriver } from "../sdk/touch-listener.js";
import type { SmartConfig } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const driver: TouchDriver = {
  versions: [1, 2],
  start(version, key, listener) {
    return native("xs_broome_touch_start").call(this, version, key, listener) as number;
  },
  stop() {
    native("xs_broome_touch_stop").call(this);
  },
};

/** On the global object, because a preloaded module is read-only. */
function own(): TouchListener {
  const holder = globalThis as { broomeTouch?: TouchListener };
  return (holder.broomeTouch ??= new TouchListener(driver, timer));
}

const smartconfig: SmartConfig = {
  start: (events, key) => own().start(events, key),
  stop: () => own().stop(),
  acknowledge: () => own().acknowledge(),
  receiving: () => own().receiving(),
};

export default smartconfig;
