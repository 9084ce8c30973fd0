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
  start: {
    banner: ["ESP-ROM:esp32c3-api1-20210207", "Build:Feb  7 2021"],
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
    strapPin: 9,
    resetPinCause: "power-on",
  },
  flashSize: 0x400000,
};
