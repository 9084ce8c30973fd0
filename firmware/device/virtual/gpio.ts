// `device/gpio` of the virtual platform: pins that `broome sim gpio` drives, and pins that the board's status shows.

import type { Gpio } from "../types.js";
import { call } from "./bus.js";

const gpio: Gpio = {
  write(pin, high) {
    call("gpio.write", pin, high);
  },
  read(pin) {
    return call("gpio.read", pin) as boolean;
  },
};

export default gpio;
