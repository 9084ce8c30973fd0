// `broome read-mac`: the board's MAC address, from its fuses.

import { macText } from "../esptool/identity.js";
import type { Verb } from "../verb.js";
import { addBoardOptions, onBoard } from "./on-board.js";

export const verb: Verb = {
  name: "read-mac",
  summary: "the board's MAC address",
  configure(command) {
    addBoardOptions(command);
  },
  run: (context, _args, options) =>
    onBoard(context, options, {}, async ({ board }) => {
      if (!context.json) context.print(`MAC: ${macText(board.identity.mac)}`);
      return {};
    }),
};
