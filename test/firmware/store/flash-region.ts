// The device's flash seam over a strict NOR flash, for tests in Node.

import type { Flash } from "../../../firmware/device/types.js";
import type { NorFlash } from "../../../tools/simulator/flash.js";

/** A region of `size` bytes at `offset`. */
export function flashRegion(nor: NorFlash, offset = 0, size = nor.size - offset): Flash {
  return {
    size,
    sectorSize: nor.sectorSize,
    read: (at, length) => nor.read(offset + at, length),
    eraseSector: (index) => nor.erase(offset + index * nor.sectorSize),
    write: (at, bytes) => nor.program(offset + at, bytes),
  };
}
