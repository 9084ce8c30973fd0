// `device/smartconfig` of the virtual platform: ESP-Touch is heard by the board, as it is by the vendor's code in a chip.

import type { SmartConfig, TouchEvents } from "../types.js";
import { bytesOf, call, listen, type BusValue } from "./bus.js";

/** Who waits for a phone; on the global object, because a preloaded module is read-only. */
function holder(): { busTouch?: TouchEvents | undefined } {
  return globalThis as { busTouch?: TouchEvents | undefined };
}

function heard(ssid: BusValue, password: BusValue, reserved: BusValue, encrypted: BusValue): void {
  const events = holder().busTouch;
  holder().busTouch = undefined;
  events?.credentials({
    ssid: bytesOf(ssid),
    password: password as string,
    reserved: reserved ? bytesOf(reserved) : undefined,
    encrypted: encrypted === true,
  });
}

function failed(raw: BusValue): void {
  const events = holder().busTouch;
  holder().busTouch = undefined;
  events?.failed(raw as number);
}

const smartconfig: SmartConfig = {
  start(events, key) {
    listen("smartconfig.heard", heard);
    listen("smartconfig.failed", failed);
    holder().busTouch = events;
    call("smartconfig.start", key);
  },
  stop() {
    holder().busTouch = undefined;
    call("smartconfig.stop");
  },
  acknowledge() {
    call("smartconfig.acknowledge");
  },
  receiving() {
    return call("smartconfig.receiving") === true;
  },
};

export default smartconfig;
