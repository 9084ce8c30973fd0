// `device/console` of the virtual platform: the UART.

import type { Console } from "../types.js";
import { bytesOf, call, listen } from "./bus.js";

const uart: Console = {
  write(bytes) {
    call("console.write", bytes);
  },
  listen(onBytes) {
    listen("console.bytes", (bytes) => onBytes(bytesOf(bytes)));
  },
};

export default uart;
