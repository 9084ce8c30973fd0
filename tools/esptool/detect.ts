// Which chip answers: by the id that it gives, else by a word of its ROM (esptool's `detect_chip`).

import type { Chip } from "../chips/chip.js";
import { decodeSecurityInfo, Op, SECURITY_INFO_LENGTH } from "./command.js";
import { FlasherError } from "./error.js";
import type { Loader } from "./loader.js";

/** A word of the ROM that every chip has and that differs between the older ones. */
export const MAGIC_ADDRESS = 0x40001000;

/** @throws FlasherError `chip-unsupported` */
export async function detectChip(loader: Loader, chips: readonly Chip[]): Promise<Chip> {
  const id = await securityInfoId(loader);
  if (id !== undefined) {
    const chip = chips.find(({ rom }) => rom.securityInfoId === id);
    return chip ?? unsupported(loader, chips, `chip id ${id}`);
  }
  const magic = await loader.readRegister(MAGIC_ADDRESS);
  const chip = chips.find(({ rom }) => rom.securityInfoId === undefined && rom.magic.includes(magic));
  return chip ?? unsupported(loader, chips, `chip magic 0x${magic.toString(16).padStart(8, "0")}`);
}

/** Undefined for chips that do not know the command or have no id in the answer (ESP8266, ESP32, ESP32-S2). */
async function securityInfoId(loader: Loader): Promise<number | undefined> {
  try {
    const options = { dataLength: SECURITY_INFO_LENGTH };
    const { data } = await loader.command(Op.GET_SECURITY_INFO, undefined, options);
    return decodeSecurityInfo(data).chipId;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "command-refused" || code === "malformed-command" || code === "no-answer") return undefined;
    throw error;
  }
}

function unsupported(loader: Loader, chips: readonly Chip[], words: string): never {
  const names = chips.map(({ name }) => name).join(", ");
  const message = `${loader.exchange.port.name} is a chip that is not supported yet (${words})`;
  throw new FlasherError("chip-unsupported", message, `Supported by this version: ${names}.`);
}
