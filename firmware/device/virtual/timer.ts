// `device/timer` of the virtual platform: the board's clock calls back; the engine has no timers of its own.

import type { Timer } from "../types.js";
import { call, listen } from "./bus.js";

const timer: Timer = {
  set(callback, ms) {
    const handle = call("timer.set", ms, false) as number;
    listen("timer", handle, () => {
      listen("timer", handle, undefined);
      callback();
    });
    return handle;
  },
  repeat(callback, ms) {
    const handle = call("timer.set", ms, true) as number;
    listen("timer", handle, () => callback());
    return handle;
  },
  clear(handle) {
    if (handle === undefined) return;
    listen("timer", handle as number, undefined);
    call("timer.clear", handle as number);
  },
};

export default timer;
