// `device/system` of a Linux process: the process stands for the chip.

import type { RawResetCause, System } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const system: System = {
  chip: "lin",
  mac: () => new Uint8Array(native("xs_broome_mac").call(undefined) as ArrayBuffer),
  resetCause: () =>
    (native("xs_broome_reset_cause").call(undefined) as RawResetCause | undefined) ?? "power-on",
  restart() {
    native("xs_broome_restart").call(undefined);
    throw new Error("restart");
  },
  uptimeMs: () => native("xs_broome_uptime").call(undefined) as number,
  heap() {
    const [free, peak, limit] = native("xs_broome_heap").call(undefined) as [number, number, number];
    return { free, peak, limit };
  },
  mark: () => undefined,
  feedWatchdog: () => undefined,
};

export default system;
