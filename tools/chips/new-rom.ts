// What the serial bootloaders of the chips since the ESP32-S2 have in common (esptool, targets/esp32s3.py and its heirs).

import type { RomFacts } from "./chip.js";
import { secondRomCommands } from "./rom-commands.js";

/** @param spiBase address of the flash's SPI controller */
export function newRom(
  spiBase: number,
): Pick<RomFacts, "commands" | "statusLength" | "blockSize" | "extendedBegin" | "attachWords" | "spi"> {
  return {
    commands: [...secondRomCommands, "GET_SECURITY_INFO"],
    statusLength: 4,
    blockSize: 0x400,
    extendedBegin: true,
    attachWords: 2,
    spi: {
      base: spiBase,
      usr: 0x18,
      usr1: 0x1c,
      usr2: 0x20,
      mosiLength: { offset: 0x24, shift: 0, bits: 10 },
      misoLength: { offset: 0x28, shift: 0, bits: 10 },
      data: 0x58,
      addressAtTop: false,
    },
  };
}
