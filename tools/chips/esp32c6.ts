// ESP32-C6: RISC-V, 512 KB SRAM, Wi-Fi 6 (ESP32-C6 Technical Reference Manual; esptool targets/esp32c6.py for what tools read).

import type { Chip } from "./chip.js";
import { gd25q32c } from "./flash-chip.js";
import { flashSizes } from "./flash-codes.js";
import { fourMegabytes } from "./layout-4mb.js";
import { macBytes } from "./mac-fuse.js";
import { newRom } from "./new-rom.js";
import { newLoading } from "./rom-loading.js";

const EFUSE_BLOCK1 = 0x600b0844;

export const esp32c6: Chip = {
  name: "esp32c6",
  family: "ESP32-C6",
  layout: fourMegabytes({ offset: 0x0, size: 0x8000 }),
  image: {
    form: "esp32",
    chipId: 13,
    flashMode: 2,
    flashSize: 2,
    flashFrequency: 0, // 80 MHz too: the ROM sets the divider itself (esptool)
    flashSizes,
    flashFrequencies: { 0: "80m", 2: "20m" },
    minRevision: 0,
    maxRevision: 99,
    dataAddress: 0x42800020,
    codeAddress: 0x40800000,
    idleCode: [0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff], // wfi; j -4
  },
  start: {
    baudRate: 115200,
    lines: ["ESP-ROM:esp32c6-20220919", "Build:Sep 19 2022", "{cause},{mode}"],
    // soc/esp32c6/include/soc/reset_reasons.h; the ROM's spelling of all but the first two is assumed
    resetCauses: {
      "power-on": "rst:0x1 (POWERON)",
      software: "rst:0xc (SW_CPU)",
      exception: "rst:0xc (SW_CPU)",
      watchdog: "rst:0x8 (TG1_WDT_HPSYS)",
      brownout: "rst:0xf (BROWNOUT)",
      "deep-sleep": "rst:0x5 (SLEEP_WAKEUP)",
    },
    bootFromFlash: "boot:0xc (SPI_FAST_FLASH_BOOT)",
    bootDownload: "boot:0x4 (DOWNLOAD(USB/UART0/SDIO_FEI_FEO))",
    loading: newLoading,
    waiting: "waiting for download",
    strapPin: 9,
    resetPinCause: "power-on",
  },
  touchVersions: [1, 2],
  flashSize: 0x400000,
  flash: gd25q32c,
  rom: {
    ...newRom(0x60003000),
    securityInfoId: 13,
    magic: [0x2ce0806f],
    mac: macBytes(EFUSE_BLOCK1),
    fields: {
      package: [{ address: EFUSE_BLOCK1 + 12, shift: 24, bits: 3 }],
      majorRevision: [{ address: EFUSE_BLOCK1 + 12, shift: 22, bits: 2 }],
      minorRevision: [{ address: EFUSE_BLOCK1 + 12, shift: 18, bits: 4 }],
      flashCapacity: [{ address: EFUSE_BLOCK1 + 16, shift: 0, bits: 3 }],
      flashVendor: [],
    },
    packages: { 0: "ESP32-C6 (QFN40)", 1: "ESP32-C6 (QFN32)" },
    features: ["Wi-Fi 6", "BT 5 (LE)", "IEEE802.15.4", "Single Core + LP Core", "160MHz"],
    flashCapacities: { 1: "4MB", 2: "8MB" },
    flashVendors: {},
    crystal: 40,
    ram: [
      { start: 0x40800000, end: 0x40880000 },
      { start: 0x50000000, end: 0x50004000 },
    ],
    fuses: { start: 0x600b0800, end: 0x600b0a00 },
    specimen: { package: 0, majorRevision: 0, minorRevision: 1, words: {} },
  },
};
