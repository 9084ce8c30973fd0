// What the gadget's own program gets.

import type { Log } from "../protocol/log-line.js";
import type { Scalar } from "../protocol/sync-message.js";
import type { Timer } from "../device/types.js";

export interface AppApi {
  telemetry: {
    /** Takes a reading: a number, a boolean or at most 64 characters, under a name of at most 32. Sent as soon as it can be. */
    add(name: string, value: Scalar): void;
  };
  pins: {
    /** Called with every value that the server sets pin V`pin` to, 0 to 99, newest only. */
    on(pin: number, listener: (value: Scalar) => void): void;
    /** Shows a value on pin V`pin`. */
    write(pin: number, value: Scalar): void;
  };
  config: {
    /** A setting from the server, else the `x.` + name value of the defaults, else undefined. */
    get(name: string): Scalar | undefined;
  };
  /** A line on the UART. */
  log: Log;
  timer: Timer;
}
