// The whole seam of a Linux process in one object: what the SDK's simulator, or `broome build --sdk --chip lin`, runs.

import resource from "../sdk/resource.js";
import tcp from "../sdk/tcp.js";
import timer from "../sdk/timer.js";
import type { Device, Gpio, Slots, SmartConfig } from "../types.js";
import console from "./console.js";
import crypto from "./crypto.js";
import flash from "./flash.js";
import resolve from "./resolve.js";
import station from "./station.js";
import system from "./system.js";

const device: Device = {
  console,
  crypto,
  flash,
  gpio: undefined as Gpio | undefined, // no LED, no button
  resolve,
  resource,
  slots: undefined as Slots | undefined, // a process has no other slot: it says `ota-not-supported`
  smartconfig: undefined as SmartConfig | undefined, // no radio
  station,
  system,
  tcp,
  timer,
};

export default device;
