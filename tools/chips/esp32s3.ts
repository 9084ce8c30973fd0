// ESP32-S3: two Xtensa LX7, 512 KB SRAM (ESP32-S3 Technical Reference Manual; esptool targets/esp32s3.py for what tools read).

import type { Chip } from "./chip.js";
import { gd25q32c } from "./flash-chip.js";
import { flashSizes } from "./flash-codes.js";
import { fourMegabytes } from "./layout-4mb.js";
import { macBytes } from "./mac-fuse.js";
import { newRom } from "./new-rom.js";
import { newLoading } from "./rom-loading.js";

const EFUSE_BLOCK1 = 0x60007044;

export const esp32s3: Chip = {
  name: "esp32s3",
  family: "ESP32-S3",
  layout: fourMegabytes({ offset: 0x0, size: 0x8000 }),
  image: {
    form: "esp32",
    chipId: 9,
    flashMode: 2,
    flashSize: 2,
    flashFrequency: 0xf,
    flashSizes,
    flashFrequencies: { 0xf: "80m", 0: "40m", 1: "26m", 2: "20m" },
    minRevision: 0,
    maxRevision: 99,
    dataAddress: 0x3c000020,
    codeAddress: 0x40378000,
    idleCode: [0x00, 0x70, 0x00, 0x46, 0xfe, 0xff], // waiti 0; j -3
  },
  start: {
    baudRate: 115200,
    lines: ["ESP-ROM:esp32s3-20210327", "Build:Mar 27 2021", "{cause},{mode}"],
    // soc/esp32s3/include/soc/reset_reasons.h, in the ROM's spelling
    resetCauses: {
      "power-on": "rst:0x1 (POWERON)",
      software: "rst:0xc (RTC_SW_CPU_RST)",
      exception: "rst:0xc (RTC_SW_CPU_RST)",
      watchdog: "rst:0x8 (TG1WDT_SYS_RST)",
      brownout: "rst:0xf (BROWNOUT_RST)",
      "deep-sleep": "rst:0x5 (DSLEEP)",
    },
    bootFromFlash: "boot:0x8 (SPI_FAST_FLASH_BOOT)",
    bootDownload: "boot:0x0 (DOWNLOAD(USB/UART0))",
    loading: newLoading,
    waiting: "waiting for download",
    strapPin: 0,
    resetPinCause: "power-on",
  },
  touchVersions: [1, 2],
  flashSize: 0x400000,
  flash: gd25q32c,
  rom: {
    ...newRom(0x60002000),
    securityInfoId: 9,
    magic: [0x9],
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
    packages: { 0: "ESP32-S3 (QFN56)", 1: "ESP32-S3-PICO-1 (LGA56)" },
    features: ["Wi-Fi", "BT 5 (LE)", "Dual Core + LP Core", "240MHz"],
    flashCapacities: { 1: "8MB", 2: "4MB" },
    flashVendors: { 1: "XMC", 2: "GD", 3: "FM", 4: "TT", 5: "BY" },
    crystal: 40,
    ram: [
      { start: 0x3fc88000, end: 0x3fd00000 },
      { start: 0x40370000, end: 0x403e0000 },
      { start: 0x50000000, end: 0x50002000 },
    ],
    fuses: { start: 0x60007000, end: 0x60007200 },
    specimen: { package: 0, majorRevision: 0, minorRevision: 2, words: {} },
  },
};
