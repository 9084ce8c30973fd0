// `device/slots` of the virtual platform: otadata in the board's flash, as ESP-IDF's app_update keeps it.

import type { Slots, SlotState } from "../types.js";
import { call, type BusValue } from "./bus.js";

const slots: Slots = {
  running() {
    const [name, state] = call("slots.running") as [string, SlotState];
    return { name, state };
  },
  other() {
    const other = call("slots.other") as BusValue[] | undefined;
    return other && { name: other[0] as string, state: other[1] as SlotState, size: other[2] as number };
  },
  invalidateOther: () => void call("slots.invalidateOther"),
  selectOther: () => void call("slots.selectOther"),
  rearmOther: () => void call("slots.rearmOther"),
  markValid: () => void call("slots.markValid"),
  markInvalid: () => void call("slots.markInvalid"),
};

export default slots;
