// ESP8266: Xtensa LX106, 80 KB RAM (ESP8266 Technical Reference; esptool targets/esp8266.py for what tools read).

import type { Chip } from "./chip.js";
import { gd25q32c } from "./flash-chip.js";
import { firstRomCommands } from "./rom-commands.js";

const OTP = 0x3ff00050; // four words

export const esp8266: Chip = {
  name: "esp8266",
  family: "ESP8266",
  // The chip maps one of the flash's megabytes at 0x40200000: the slots are two of them, each behind a boot sector, so that an image
  // runs from either. What follows is ours; the vendor's SDK keeps its settings in the last three sectors. Before them lie its
  // calibration of the radio (0x3fb000), which it makes anew where it is erased, and its init data (0x3fc000), which a build brings.
  layout: {
    name: "8266-4mb-2slot",
    bootloader: { offset: 0x0, size: 0x1000 },
    ota_0: { offset: 0x1000, size: 0xff000 },
    partitionTable: { offset: 0x100000, size: 0x1000 },
    ota_1: { offset: 0x101000, size: 0xff000 },
    otadata: { offset: 0x200000, size: 0x2000 },
    broome: { offset: 0x202000, size: 0x10000 },
    nvs: { offset: 0x3fd000, size: 0x3000 },
  },
  image: {
    form: "esp8266",
    chipId: undefined,
    flashMode: 2,
    flashSize: 4,
    flashFrequency: 0,
    flashSizes: {
      0: "512KB",
      1: "256KB",
      2: "1MB",
      3: "2MB",
      4: "4MB",
      5: "2MB-c1",
      6: "4MB-c1",
      8: "8MB",
      9: "16MB",
    },
    flashFrequencies: { 0xf: "80m", 0: "40m", 1: "26m", 2: "20m" },
    minRevision: 0,
    maxRevision: 0xffff,
    dataAddress: 0x40201010,
    codeAddress: 0x40100000,
    idleCode: [0x00, 0x70, 0x00, 0x46, 0xfe, 0xff], // waiti 0; j -3
  },
  start: {
    baudRate: 74880, // the ROM's divider is for a crystal of 40 MHz, boards have 26
    lines: ["", " ets Jan  8 2013,rst cause:{cause}, boot mode:({mode})", ""],
    // Three bits of the RTC: 1 power-on, 2 the reset pin and what the SDK does in software, 4 the watchdog
    resetCauses: {
      "power-on": "1",
      external: "2",
      software: "2",
      exception: "2",
      watchdog: "4",
      brownout: "1",
      "deep-sleep": "2", // its timer pulls the reset pin
    },
    bootFromFlash: "3,6",
    bootDownload: "1,6",
    loading: {
      before: [],
      segment: ["load {address}, len {length}, room {room} ", "tail {tail}", "chksum {sum}"],
      after: ["csum {sum}"],
    },
    waiting: undefined,
    strapPin: 0,
    resetPinCause: "external",
  },
  touchVersions: [1], // SDK 2.3.0; v2 is not in it
  flashSize: 0x400000,
  flash: gd25q32c,
  rom: {
    securityInfoId: undefined,
    magic: [0xfff0c101],
    commands: firstRomCommands,
    statusLength: 2,
    blockSize: 0x400,
    extendedBegin: false,
    attachWords: 0,
    eraseBug: true,
    hasChipId: true,
    spi: {
      base: 0x60000200,
      usr: 0x1c,
      usr1: 0x20,
      usr2: 0x24,
      mosiLength: { offset: 0x20, shift: 17, bits: 9 },
      misoLength: { offset: 0x20, shift: 8, bits: 9 },
      data: 0x40,
      addressAtTop: true,
    },
    mac: [
      { address: OTP + 12, shift: 16, bits: 8 },
      { address: OTP + 12, shift: 8, bits: 8 },
      { address: OTP + 12, shift: 0, bits: 8 },
      { address: OTP + 4, shift: 8, bits: 8 },
      { address: OTP + 4, shift: 0, bits: 8 },
      { address: OTP, shift: 24, bits: 8 },
    ],
    macVendor: {
      field: [{ address: OTP + 4, shift: 16, bits: 8 }],
      vendors: { 0: [0x18, 0xfe, 0x34], 1: [0xac, 0xd0, 0x74] },
    },
    fields: {
      package: [
        { address: OTP, shift: 4, bits: 1 },
        { address: OTP + 8, shift: 16, bits: 1 },
      ],
      majorRevision: [],
      minorRevision: [],
      flashCapacity: [
        { address: OTP, shift: 4, bits: 1 },
        { address: OTP + 12, shift: 25, bits: 3 },
      ],
      flashVendor: [],
    },
    packages: { 0: "ESP8266EX", 1: "ESP8285", 2: "ESP8285", 3: "ESP8285" },
    features: ["Wi-Fi", "160MHz"],
    flashCapacities: { 1: "1MB", 2: "2MB", 5: "2MB", 6: "4MB" },
    flashVendors: {},
    crystal: 26,
    uartClock: { divider: { address: 0x60000014, shift: 0, bits: 20 }, perCrystal: 2 },
    ram: [
      { start: 0x3ffe8000, end: 0x40000000 },
      { start: 0x40100000, end: 0x40110000 },
    ],
    fuses: { start: OTP, end: OTP + 16 },
    specimen: { package: 0, majorRevision: 0, minorRevision: 0, words: {} },
  },
};
