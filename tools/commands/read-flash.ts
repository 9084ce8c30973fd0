// `broome read-flash ADDRESS SIZE FILE`: what a board's flash holds, to a file.

import { BroomeError } from "../error.js";
import { readRange } from "../esptool/read-flash.js";
import { codecs } from "../node-flasher.js";
import type { Verb } from "../verb.js";
import { parseAddress, parseSize } from "./numbers.js";
import { addBoardOptions, onBoard } from "./on-board.js";
import { checkWritable, writePrivately } from "../private-file.js";

export const verb: Verb = {
  name: "read-flash",
  summary: "what a board's flash holds, to a file",
  configure(command) {
    addBoardOptions(command)
      .argument("<address>", "where it begins")
      .argument("<size>", "bytes, or ALL")
      .argument("<file>", "to write, readable for you alone: flash holds secrets");
  },
  run: (context, [address, size, out], options) => {
    const offset = parseAddress(address!);
    parseSize(size!, 0);
    checkWritable(out!);
    return onBoard(context, options, { fast: true }, async ({ session, board }) => {
      const started = Date.now();
      const length = parseSize(size!, board.flashSize - offset);
      if (length <= 0 || offset + length > board.flashSize)
        throw new BroomeError(
          "flash-too-small",
          `0x${(offset + length).toString(16)} lies beyond the flash of ${board.flashSize / 2 ** 20} MB`,
          "Check address and size.",
        );
      const bar = context.progress("read", length);
      let bytes: Uint8Array;
      try {
        bytes = await readRange(session, offset, length, { codecs, onProgress: (done) => bar.update(done) });
      } finally {
        bar.end();
      }
      writePrivately(out!, bytes);
      const ms = Date.now() - started;
      context.log(
        `Read ${length} bytes from 0x${offset.toString(16)} in ${(ms / 1000).toFixed(1)} s to ${out}`,
      );
      return { address: offset, size: length, out: out!, md5: await codecs.md5(bytes), ms };
    });
  },
};
