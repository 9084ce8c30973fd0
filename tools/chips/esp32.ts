// ESP32: two Xtensa LX6, 520 KB SRAM (ESP32 Technical Reference Manual; esptool targets/esp32.py for what tools read).

import type { Chip } from "./chip.js";
import { gd25q32c } from "./flash-chip.js";
import { flashSizes } from "./flash-codes.js";
import { fourMegabytes } from "./layout-4mb.js";
import { macBytes } from "./mac-fuse.js";
import { secondRomCommands } from "./rom-commands.js";

const EFUSE_BLOCK0 = 0x3ff5a000; // EFUSE_BLK0_RDATA0_REG
const word = (n: number): number => EFUSE_BLOCK0 + 4 * n;
const packageParts = [
  { address: word(3), shift: 9, bits: 3 },
  { address: word(3), shift: 2, bits: 1 },
];

export const esp32: Chip = {
  name: "esp32",
  family: "ESP32",
  layout: fourMegabytes({ offset: 0x1000, size: 0x7000 }),
  image: {
    form: "esp32",
    chipId: 0,
    flashMode: 2,
    flashSize: 2,
    flashFrequency: 0, // 40 MHz, what every module can
    flashSizes,
    flashFrequencies: { 0xf: "80m", 0: "40m", 1: "26m", 2: "20m" },
    minRevision: 0,
    maxRevision: 399,
    dataAddress: 0x3f400020,
    codeAddress: 0x40080000,
    idleCode: [0x00, 0x70, 0x00, 0x46, 0xfe, 0xff], // waiti 0; j -3
  },
  start: {
    baudRate: 115200,
    lines: ["ets Jul 29 2019 12:21:46", "", "{cause},{mode}"],
    // soc/esp32/include/soc/reset_reasons.h, in the ROM's spelling
    resetCauses: {
      "power-on": "rst:0x1 (POWERON_RESET)",
      software: "rst:0xc (SW_CPU_RESET)",
      exception: "rst:0xc (SW_CPU_RESET)",
      watchdog: "rst:0x8 (TG1WDT_SYS_RESET)",
      brownout: "rst:0xf (RTCWDT_BROWN_OUT_RESET)",
      "deep-sleep": "rst:0x5 (DEEPSLEEP_RESET)",
    },
    bootFromFlash: "boot:0x13 (SPI_FAST_FLASH_BOOT)",
    bootDownload: "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))",
    loading: {
      before: [
        "configsip: 0, SPIWP:0xee",
        "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00",
        "mode:{flashMode}, clock div:{divider}",
      ],
      segment: ["load:{address},len:{length}"],
      after: ["entry {entry}"],
    },
    waiting: "waiting for download",
    strapPin: 0,
    resetPinCause: "power-on",
  },
  touchVersions: [1, 2],
  flashSize: 0x400000,
  flash: gd25q32c,
  rom: {
    securityInfoId: undefined,
    magic: [0x00f01d83],
    commands: secondRomCommands,
    statusLength: 4,
    blockSize: 0x400,
    extendedBegin: false,
    attachWords: 2,
    spi: {
      base: 0x3ff42000,
      usr: 0x1c,
      usr1: 0x20,
      usr2: 0x24,
      mosiLength: { offset: 0x28, shift: 0, bits: 24 },
      misoLength: { offset: 0x2c, shift: 0, bits: 24 },
      data: 0x80,
      addressAtTop: true,
    },
    mac: macBytes(word(1)),
    fields: {
      package: packageParts,
      majorRevision: [
        { address: word(3), shift: 15, bits: 1 },
        { address: word(5), shift: 20, bits: 1 },
        { address: 0x3ff6607c, shift: 31, bits: 1 }, // SYSCON_DATE_REG
      ],
      minorRevision: [{ address: word(5), shift: 24, bits: 2 }],
      flashCapacity: packageParts,
      flashVendor: [],
    },
    majorRevisions: { 0: 0, 1: 1, 3: 2, 7: 3 },
    packages: {
      0: "ESP32-D0WDQ6",
      1: "ESP32-D0WD",
      2: "ESP32-D2WD",
      4: "ESP32-U4WDH",
      5: "ESP32-PICO-D4",
      6: "ESP32-PICO-V3-02",
      7: "ESP32-D0WDR2-V3",
    },
    packagesSince: { major: 3, packages: { 0: "ESP32-D0WDQ6-V3", 1: "ESP32-D0WD-V3", 5: "ESP32-PICO-V3" } },
    features: [
      "Wi-Fi",
      { field: [{ address: word(3), shift: 1, bits: 1 }], texts: { 0: "BT" } },
      {
        field: [{ address: word(3), shift: 0, bits: 1 }],
        texts: { 0: "Dual Core + LP Core", 1: "Single Core + LP Core" },
      },
      {
        field: [{ address: word(3), shift: 12, bits: 2 }], // rated, and rated low
        texts: { 2: "240MHz", 3: "160MHz" },
      },
      {
        field: [{ address: word(6), shift: 0, bits: 2 }],
        texts: { 0: "Coding Scheme None", 1: "Coding Scheme 3/4" },
      },
    ],
    flashCapacities: { 2: "2MB", 4: "4MB", 5: "4MB", 6: "8MB" }, // by package (ESP32 Series Datasheet, table 1-1)
    flashVendors: {},
    crystal: 40,
    uartClock: { divider: { address: 0x3ff40014, shift: 0, bits: 20 }, perCrystal: 1 },
    ram: [
      { start: 0x3ffae000, end: 0x40000000 },
      { start: 0x40080000, end: 0x400c0000 },
      { start: 0x50000000, end: 0x50002000 },
    ],
    fuses: { start: EFUSE_BLOCK0, end: 0x3ff5a0fc },
    specimen: {
      package: 1,
      majorRevision: 3,
      minorRevision: 1,
      words: {
        [word(3)]: 2 ** 13, // CHIP_CPU_FREQ_RATED
        // The RC oscillator, which the ROM takes for its measure of the crystal: 800 * 15625 * 128 / 40 = 40 MHz.
        [word(4)]: 128,
        0x3ff5f06c: 800 * 2 ** 7, // TIMG_RTCCALICFG1_REG
      },
    },
  },
};
