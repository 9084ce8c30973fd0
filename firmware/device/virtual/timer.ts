// `device/timer` of the virtual platform: the board's clock calls back; the engine has no timers of its own.

import type { Timer } from "../types.js";
import { call, listen, own, ownerOf, REPEAT, TIMEOUT, type BusValue } from "./bus.js";

function fired(handle: BusValue): void {
  const once = ownerOf(TIMEOUT, handle) as (() => void) | undefined;
  if (once) own(TIMEOUT, handle as number, undefined);
  (once ?? (ownerOf(REPEAT, handle) as (() => void) | undefined))?.();
}

function start(callback: () => void, ms: number, kind: number): number {
  listen("timer.fired", fired);
  const handle = call("timer.set", ms, kind === REPEAT) as number;
  own(kind, handle, callback);
  return handle;
}

const timer: Timer = {
  set: (callback, ms) => start(callback, ms, TIMEOUT),
  repeat: (callback, ms) => start(callback, ms, REPEAT),
  clear(handle) {
    if (handle === undefined) return;
    own(TIMEOUT, handle as number, undefined);
    own(REPEAT, handle as number, undefined);
    call("timer.clear", handle as number);
  },
};

export default timer;
