// `broome flash-id`: the flash chip on the board, as it says itself (JEDEC).

import type { Verb } from "../verb.js";
import { addBoardOptions, onBoard } from "./on-board.js";

export const verb: Verb = {
  name: "flash-id",
  summary: "which flash chip the board has, and its size",
  configure(command) {
    addBoardOptions(command);
  },
  run: (context, _args, options) =>
    onBoard(context, options, {}, async ({ board }) => {
      const manufacturer = board.flash.manufacturer.toString(16).padStart(2, "0");
      const device = board.flash.device.toString(16).padStart(4, "0");
      const size = `${board.flashSize / 2 ** 20}MB`;
      const lines = [`Manufacturer: ${manufacturer}`, `Device: ${device}`, `Detected flash size: ${size}`];
      for (const line of lines) if (!context.json) context.print(line);
      return { manufacturer, device, flashSize: board.flashSize };
    }),
};
