// `broome verify-flash OFFSET FILE ...`: does a board's flash hold these files? Nothing is written.

import { BroomeError } from "../error.js";
import { Op } from "../esptool/command.js";
import { differing } from "../esptool/difference.js";
import { FlasherError } from "../esptool/error.js";
import { checkSize, rangeText, type Region } from "../esptool/regions.js";
import type { Session } from "../esptool/session.js";
import { codecs } from "../node-flasher.js";
import type { Verb } from "../verb.js";
import { regionsOf } from "./flash-regions.js";
import { addBoardOptions, onBoard } from "./on-board.js";

const MAX_LISTED = 8; // stretches in the message

export const verb: Verb = {
  name: "verify-flash",
  summary: "does a board's flash hold these files?",
  configure(command) {
    addBoardOptions(command)
      .argument("[offset-file...]", "offsets in flash and the files that should lie there, in pairs")
      .option("--dir <folder>", "all files of a build (build.json)")
      .option("--diff", "accepted as esptool does; the sectors that differ are listed either way");
  },
  run: (context, args, options) => {
    const regions = regionsOf(context, args, options.dir as string | undefined, "verify-flash");
    return onBoard(context, options, {}, async ({ session, board }) => {
      const started = Date.now();
      checkSize(regions, board.flashSize);
      const wrong = await compare(session, regions);
      if (wrong.length > 0) throw mismatch(wrong);
      for (const region of regions) context.log(`${rangeText(region)}: verified`);
      const files = regions.map(({ name, offset, data }) => ({ path: name, offset, size: data.length }));
      return { verified: true, files, ms: Date.now() - started };
    });
  },
};

async function compare(session: Session, regions: readonly Region[]): Promise<Region[]> {
  const { loader } = session;
  if (!loader.knows(Op.SPI_FLASH_MD5) && !(await session.useStub()))
    throw new FlasherError(
      "stub-needed",
      `the ${loader.chip.family}'s ROM cannot compute MD5s`,
      "Leave --no-stub away.",
    );
  return differing(regions, { loader, codecs, expectSame: true });
}

function mismatch(wrong: readonly Region[]): BroomeError {
  const listed = wrong.slice(0, MAX_LISTED).map(rangeText);
  const more = wrong.length > MAX_LISTED ? ` and ${wrong.length - MAX_LISTED} more stretches` : "";
  return new BroomeError(
    "verify-failed",
    `flash differs from ${listed.join(", ")}${more}`,
    "broome flash with the same files writes what differs.",
  );
}
