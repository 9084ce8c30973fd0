// `device/flash` of the virtual platform: strict NOR in the board's flash file.

import type { OpenFlash } from "../types.js";
import { call, callBytes } from "./bus.js";

const open: OpenFlash = (region) => {
  const [handle, size, sectorSize] = call("flash.open", region) as number[];
  return {
    size,
    sectorSize,
    read: (offset, length) => callBytes("flash.read", handle, offset, length),
    eraseSector: (index) => void call("flash.erase", handle, index),
    write: (offset, bytes) => void call("flash.write", handle, offset, bytes),
  };
};

export default open;
