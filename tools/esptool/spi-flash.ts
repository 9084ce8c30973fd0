// The flash chip behind the bootloader, asked through the SPI controller's registers (JEDEC; TRM, "SPI Controller").

import { FlasherError } from "./error.js";
import type { Loader } from "./loader.js";

const READ_ID = 0x9f; // JEDEC
const USR_COMMAND = 2 ** 31;
const USR_MISO = 2 ** 28;
const START = 2 ** 18; // of SPI_CMD_REG
const COMMAND_8_BITS = 7 * 2 ** 28;
const POLLS = 10;

export interface FlashChip {
  readonly manufacturer: number;
  /** Memory type and capacity code. */
  readonly device: number;
  readonly size: number; // bytes
}

/** @throws FlasherError `flash-not-found` */
export async function readFlashChip(loader: Loader): Promise<FlashChip> {
  const id = await runCommand(loader, READ_ID, 24);
  const capacity = id >>> 16;
  if (capacity < 0x10 || capacity > 0x20) {
    const message = `the flash chip does not say its size (id 0x${id.toString(16).padStart(6, "0")})`;
    throw new FlasherError(
      "flash-not-found",
      message,
      "Is the flash wired to the usual pins, and does it have power?",
    );
  }
  return { manufacturer: id & 0xff, device: ((id >>> 8) & 0xff) * 256 + capacity, size: 2 ** capacity };
}

/** Sends a command byte and reads up to 32 bits. */
async function runCommand(loader: Loader, command: number, bits: number): Promise<number> {
  const { spi } = loader.chip.rom;
  const at = (offset: number) => spi.base + offset;
  const usr = await loader.readRegister(at(spi.usr));
  const usr2 = await loader.readRegister(at(spi.usr2));
  const { offset, shift } = spi.misoLength;
  await loader.writeRegister(at(offset), (bits - 1) * 2 ** shift);
  await loader.writeRegister(at(spi.usr), USR_COMMAND + USR_MISO);
  await loader.writeRegister(at(spi.usr2), COMMAND_8_BITS + command);
  await loader.writeRegister(at(spi.data), 0);
  await loader.writeRegister(at(0), START);
  await finished(loader, at(0));
  const answer = await loader.readRegister(at(spi.data));
  await loader.writeRegister(at(spi.usr), usr);
  await loader.writeRegister(at(spi.usr2), usr2);
  return answer;
}

async function finished(loader: Loader, register: number): Promise<void> {
  for (let i = 0; i < POLLS; i += 1) {
    if (((await loader.readRegister(register)) & START) === 0) return;
  }
  throw new FlasherError(
    "flash-not-found",
    "the SPI controller does not finish",
    "Reset the board and try again.",
  );
}
