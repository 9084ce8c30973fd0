// `device/timer` on the SDK's `timer` module.

import * as module from "timer";
import type { Timer } from "../types.js";

interface SdkTimer {
  set(callback: () => void, ms: number): unknown;
  repeat(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}
const sdk = module.default as unknown as SdkTimer;

/** The handle that the firmware holds. The SDK's own is dead once it has fired, and clearing a dead one throws on some chips. */
interface Handle {
  running: unknown;
}

const timer: Timer = {
  set(callback, ms) {
    const handle: Handle = { running: undefined };
    handle.running = sdk.set(() => {
      handle.running = undefined;
      callback();
    }, ms);
    return handle;
  },
  repeat: (callback, ms): Handle => ({ running: sdk.repeat(() => callback(), ms) }),
  clear(handle) {
    const own = handle as Handle | undefined;
    if (own?.running === undefined) return;
    sdk.clear(own.running);
    own.running = undefined;
  },
};

export default timer;
