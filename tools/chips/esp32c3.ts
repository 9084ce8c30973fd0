// ESP32-C3: RISC-V, 400 KB SRAM (ESP32-C3 Technical Reference Manual; esptool targets/esp32c3.py for what tools read).

import type { Chip } from "./chip.js";
import { gd25q32c } from "./flash-chip.js";
import { fourMegabytes } from "./layout-4mb.js";
import { flashSizes } from "./flash-codes.js";
import { macBytes } from "./mac-fuse.js";
import { newRom } from "./new-rom.js";
import { newLoading } from "./rom-loading.js";

const EFUSE_BLOCK1 = 0x60008844; // EFUSE_RD_MAC_SPI_SYS_0_REG

export const esp32c3: Chip = {
  name: "esp32c3",
  family: "ESP32-C3",
  layout: fourMegabytes({ offset: 0x0, size: 0x8000 }),
  image: {
    form: "esp32",
    chipId: 5,
    flashMode: 2,
    flashSize: 2,
    flashFrequency: 0xf,
    flashSizes,
    flashFrequencies: { 0xf: "80m", 0: "40m", 1: "26m", 2: "20m" },
    minRevision: 3, // v0.3, the oldest in the shops
    maxRevision: 199,
    dataAddress: 0x3c000020,
    codeAddress: 0x40380000,
    idleCode: [0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff], // wfi; j -4
  },
  start: {
    baudRate: 115200,
    lines: ["ESP-ROM:esp32c3-api1-20210207", "Build:Feb  7 2021", "{cause},{mode}"],
    // soc/esp32c3/include/soc/reset_reasons.h, in the ROM's spelling
    resetCauses: {
      "power-on": "rst:0x1 (POWERON)",
      software: "rst:0xc (RTC_SW_CPU_RST)",
      exception: "rst:0xc (RTC_SW_CPU_RST)",
      watchdog: "rst:0x8 (TG1WDT_SYS_RST)",
      brownout: "rst:0xf (BROWNOUT_RST)",
      "deep-sleep": "rst:0x5 (DSLEEP)",
    },
    bootFromFlash: "boot:0xc (SPI_FAST_FLASH_BOOT)",
    bootDownload: "boot:0x4 (DOWNLOAD(USB/UART0/1))",
    loading: newLoading,
    waiting: "waiting for download",
    strapPin: 9,
    resetPinCause: "power-on",
  },
  touchVersions: [1, 2],
  flashSize: 0x400000,
  flash: gd25q32c,
  rom: {
    ...newRom(0x60002000),
    securityInfoId: 5,
    magic: [0x1b31506f, 0x6921506f, 0x4881606f, 0x4361606f],
    mac: macBytes(EFUSE_BLOCK1),
    fields: {
      package: [{ address: EFUSE_BLOCK1 + 12, shift: 21, bits: 3 }],
      majorRevision: [{ address: EFUSE_BLOCK1 + 20, shift: 24, bits: 2 }],
      minorRevision: [
        { address: EFUSE_BLOCK1 + 12, shift: 18, bits: 3 },
        { address: EFUSE_BLOCK1 + 20, shift: 23, bits: 1 },
      ],
      flashCapacity: [{ address: EFUSE_BLOCK1 + 12, shift: 27, bits: 3 }],
      flashVendor: [{ address: EFUSE_BLOCK1 + 16, shift: 0, bits: 3 }],
    },
    packages: {
      0: "ESP32-C3 (QFN32)",
      1: "ESP8685 (QFN28)",
      2: "ESP32-C3 AZ (QFN32)",
      3: "ESP8686 (QFN24)",
    },
    features: ["Wi-Fi", "BT 5 (LE)", "Single Core", "160MHz"],
    flashCapacities: { 1: "4MB", 2: "2MB", 3: "1MB", 4: "8MB" },
    flashVendors: { 1: "XMC", 2: "GD", 3: "FM", 4: "TT", 5: "ZBIT" },
    crystal: 40,
    ram: [
      { start: 0x3fc80000, end: 0x3fce0000 },
      { start: 0x4037c000, end: 0x403e0000 },
      { start: 0x50000000, end: 0x50002000 },
    ],
    fuses: { start: 0x60008800, end: 0x60008a00 },
    specimen: { package: 0, majorRevision: 0, minorRevision: 4, words: {} },
  },
};
