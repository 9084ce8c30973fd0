// `device/gpio` of the virtual platform: no LED and no button yet.

import type { Gpio } from "../types.js";

const gpio = undefined as Gpio | undefined;

export default gpio;
