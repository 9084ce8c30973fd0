// `broome erase-flash`: the board forgets everything.

import { SECTOR_SIZE } from "../esptool/regions.js";
import type { Verb } from "../verb.js";
import { addBoardOptions, onBoard } from "./on-board.js";

export const verb: Verb = {
  name: "erase-flash",
  summary: "erase the whole flash: the board forgets everything",
  configure(command) {
    addBoardOptions(command);
  },
  run: (context, _args, options) =>
    onBoard(context, options, {}, async ({ session, board }) => {
      const started = Date.now();
      await session.useStub(); // erases the chip at once, where a ROM goes sector by sector
      context.log("Erasing the flash; this takes a while");
      await session.loader.eraseFlash(board.flashSize);
      const ms = Date.now() - started;
      context.log(`Flash memory erased in ${(ms / 1000).toFixed(1)} s`);
      return { flashSize: board.flashSize, sectorsErased: board.flashSize / SECTOR_SIZE, ms };
    }),
};
