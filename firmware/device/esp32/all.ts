// The whole seam of the ESP32 in one object, so that it lies in the read-only part of the image.

import resolve from "../sdk/resolve.js";
import resource from "../sdk/resource.js";
import tcp from "../sdk/tcp.js";
import timer from "../sdk/timer.js";
import type { Device } from "../types.js";
import console from "./console.js";
import crypto from "./crypto.js";
import flash from "./flash.js";
import gpio from "./gpio.js";
import slots from "./slots.js";
import smartconfig from "./smartconfig.js";
import station from "./station.js";
import system from "./system.js";

const device: Device = {
  console,
  crypto,
  flash,
  gpio,
  resolve,
  resource,
  slots,
  smartconfig,
  station,
  system,
  tcp,
  timer,
};

export default device;
