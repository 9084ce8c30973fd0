// `device/system` of the virtual platform.

import type { RawResetCause, System } from "../types.js";
import { bytesOf, call, type BusValue } from "./bus.js";

const system: System = {
  get chip() {
    return (call("system.info") as BusValue[])[0] as string;
  },
  mac() {
    return bytesOf((call("system.info") as BusValue[])[1]);
  },
  resetCause() {
    return (call("system.info") as BusValue[])[2] as RawResetCause;
  },
  restart() {
    call("system.restart");
    // The board ends the engine in the middle of the call; should it ever come back, nothing may go on.
    for (;;) call("system.feed");
  },
  uptimeMs() {
    return call("system.uptime") as number;
  },
  heap() {
    const [free, peak, limit] = call("system.heap") as number[];
    return { free, peak, limit };
  },
  mark(phase) {
    call("system.mark", phase);
  },
  feedWatchdog() {
    call("system.feed");
  },
};

export default system;
