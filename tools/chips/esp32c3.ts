// ESP32-C3: RISC-V, 400 KB SRAM (ESP32-C3 Technical Reference Manual; esptool targets/esp32c3.py for what tools read).

import type { Chip } from "./chip.js";

export const esp32c3: Chip = {
  name: "esp32c3",
  family: "ESP32-C3",
  layout: {
    name: "esp32-4mb",
    bootloader: { offset: 0x0, size: 0x8000 },
    partitionTable: { offset: 0x8000, size: 0x1000 },
    nvs: { offset: 0x9000, size: 0x5000 },
    otadata: { offset: 0xe000, size: 0x2000 },
    ota_0: { offset: 0x10000, size: 0x1e0000 },
    ota_1: { offset: 0x1f0000, size: 0x1e0000 },
    broome: { offset: 0x3d0000, size: 0x10000 },
  },
  image: {
    chipId: 5,
    flashMode: 2,
    flashSize: 2,
    flashFrequency: 0xf, // 80 MHz
    minRevision: 3, // v0.3, the oldest in the shops
    maxRevision: 199,
    dataAddress: 0x3c000020,
    codeAddress: 0x40380000,
    idleCode: [0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff], // wfi; j -4
  },
  flashSize: 0x400000,
};
