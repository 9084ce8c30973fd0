// The whole seam in one object, so that it lies in the read-only root: as twelve imports of main.ts it would cost 2.5 KB.

import type { Device } from "../types.js";
import console from "./console.js";
import crypto from "./crypto.js";
import flash from "./flash.js";
import gpio from "./gpio.js";
import resolve from "./resolve.js";
import resource from "./Resource.js";
import slots from "./slots.js";
import smartconfig from "./smartconfig.js";
import station from "./station.js";
import system from "./system.js";
import tcp from "./tcp.js";
import timer from "./timer.js";

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
