// Where things lie in the 4 MB of a chip of the ESP32 family (DESIGN.md, decision 4): the partitions.csv of boards, real and virtual.

import type { Layout, Region } from "./chip.js";

/** The layout; the bootloader lies where the chip's ROM looks for it. */
export function fourMegabytes(bootloader: Region): Layout {
  return {
    name: "4mb-2slot",
    bootloader,
    partitionTable: { offset: 0x8000, size: 0x1000 },
    nvs: { offset: 0x9000, size: 0x5000 },
    otadata: { offset: 0xe000, size: 0x2000 },
    ota_0: { offset: 0x10000, size: 0x1e0000 },
    ota_1: { offset: 0x1f0000, size: 0x1e0000 },
    broome: { offset: 0x3d0000, size: 0x10000 },
  };
}
