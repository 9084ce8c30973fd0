// `broome erase-region ADDRESS SIZE`: whole sectors of flash.

import { BroomeError } from "../error.js";
import { SECTOR_SIZE } from "../esptool/regions.js";
import type { Verb } from "../verb.js";
import { parseAddress, parseSize } from "./numbers.js";
import { addBoardOptions, onBoard } from "./on-board.js";

export const verb: Verb = {
  name: "erase-region",
  summary: "erase a stretch of flash",
  configure(command) {
    addBoardOptions(command)
      .argument("<address>", "where it begins: a multiple of 0x1000")
      .argument("<size>", "bytes, a multiple of 0x1000, or ALL");
  },
  run: (context, [address, size], options) => {
    const offset = parseAddress(address!);
    checkRange(offset, parseSize(size!, 0));
    return onBoard(context, options, {}, async ({ session, board }) => {
      const started = Date.now();
      const range = { offset, size: parseSize(size!, board.flashSize - offset) };
      if (range.size <= 0 || offset + range.size > board.flashSize)
        throw new BroomeError(
          "flash-too-small",
          `0x${(offset + range.size).toString(16)} lies beyond the flash of ${board.flashSize / 2 ** 20} MB`,
          "Check address and size.",
        );
      await session.loader.eraseRegion(range);
      const ms = Date.now() - started;
      context.log(`Flash memory region erased in ${(ms / 1000).toFixed(1)} s`);
      return { address: offset, size: range.size, sectorsErased: range.size / SECTOR_SIZE, ms };
    });
  },
};

function checkRange(offset: number, size: number): void {
  if (offset % SECTOR_SIZE === 0 && size % SECTOR_SIZE === 0) return;
  throw new BroomeError(
    "region-invalid",
    `0x${offset.toString(16)} and 0x${size.toString(16)} are not whole 4 KB sectors`,
    "Flash is erased by sectors: give multiples of 0x1000.",
  );
}
