// `device/gpio` of the ESP32: the SDK's digital pins.

import * as module from "embedded:io/digital";
import { Pins, type SdkDigital } from "../sdk/pins.js";
import type { Gpio } from "../types.js";

/** On the global object, because a preloaded module is read-only. */
function own(): Pins {
  const holder = globalThis as { broomePins?: Pins };
  return (holder.broomePins ??= new Pins(module.default as unknown as SdkDigital));
}

const gpio: Gpio = {
  write: (pin, high) => own().write(pin, high),
  read: (pin) => own().read(pin),
};

export default gpio;
