// `broome chip-id`: the number of an ESP8266; other chips have none but their MAC address.

import { macText } from "../esptool/identity.js";
import type { Verb } from "../verb.js";
import { addBoardOptions, onBoard } from "./on-board.js";

export const verb: Verb = {
  name: "chip-id",
  summary: "who the chip is",
  configure(command) {
    addBoardOptions(command);
  },
  run: (context, _args, options) =>
    onBoard(context, options, {}, async ({ board }) => {
      const { chip, mac, type, revision, features, crystal } = board.identity;
      const facts = { type, revision, features, crystal };
      const numbered = chip.rom.hasChipId === true;
      const text = numbered
        ? `Chip ID: ${chipIdOf(mac)}`
        : `${chip.family} has no chip ID. MAC: ${macText(mac)}`;
      if (!context.json) context.print(text);
      return numbered ? { chipId: chipIdOf(mac), ...facts } : facts;
    }),
};

/** What the vendor's `system_get_chip_id()` gives: the last three bytes of the MAC. */
function chipIdOf(mac: Uint8Array): string {
  return `0x${Buffer.from(mac.subarray(3)).toString("hex").padStart(8, "0")}`;
}
