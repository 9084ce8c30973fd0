// `device/system` of the ESP32 (native/esp32/broome-system.c).

import { esp32ResetCause } from "../sdk/reset-causes.js";
import type { System } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

function chip(this: unknown): string {
  return native("xs_broome_chip").call(this) as string;
}

function arena(this: unknown, which: number): number {
  return native("xs_broome_arena").call(this, which) as number;
}

function mac(this: unknown): ArrayBuffer {
  return native("xs_broome_mac").call(this) as ArrayBuffer;
}

function rawResetCause(this: unknown): number {
  return native("xs_broome_reset_cause").call(this) as number;
}

function restart(this: unknown): void {
  native("xs_broome_restart").call(this);
}

const system: System = {
  get chip() {
    return chip();
  },
  mac: () => new Uint8Array(mac()),
  resetCause: () => esp32ResetCause(rawResetCause()),
  restart() {
    restart();
    throw new Error("restart"); // not reached: the chip resets within the call
  },
  uptimeMs() {
    return native("xs_broome_uptime").call(this) as number;
  },
  heap: () => ({ free: arena(0), peak: arena(1), limit: arena(2) }),
  mark: () => undefined,
  feedWatchdog() {
    native("xs_broome_feed").call(this);
  },
};

export default system;
