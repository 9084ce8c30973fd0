// `device/system` of the ESP32 (native/esp32/broome-system.c).

import { esp32ResetCause } from "../sdk/reset-causes.js";
import type { System } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

function arena(which: number): number {
  return native("xs_broome_arena").call(undefined, which) as number;
}

const system: System = {
  get chip() {
    return native("xs_broome_chip").call(undefined) as string;
  },
  mac: () => new Uint8Array(native("xs_broome_mac").call(undefined) as ArrayBuffer),
  resetCause: () => esp32ResetCause(native("xs_broome_reset_cause").call(undefined) as number),
  restart() {
    native("xs_broome_restart").call(undefined);
    throw new Error("restart"); // not reached: the chip resets within the call
  },
  uptimeMs: () => native("xs_broome_uptime").call(undefined) as number,
  heap: () => ({ free: arena(0), peak: arena(1), limit: arena(2) }),
  mark: () => undefined,
  feedWatchdog: () => void native("xs_broome_feed").call(undefined),
};

export default system;
