// `broome flash`: images onto a board, over its serial port.

import { sha256 } from "../build/virtual-image.js";
import { macText } from "../esptool/identity.js";
import { checkImages } from "../esptool/image-checks.js";
import { withLoader } from "../node-flasher.js";
import type { Context, Options, Verb } from "../verb.js";
import { regionsOf } from "./flash-regions.js";
import { writeBoard, type Written } from "./flash-write.js";

export const verb: Verb = {
  name: "flash",
  summary: "images onto a board, over its serial port",
  configure(command) {
    command
      .argument("[offset-file...]", "offsets in flash and the files that go there, in pairs")
      .option("--dir <folder>", "all files of a build (build.json)")
      .option("--erase", "erase the whole flash first: the board forgets everything")
      .option("--no-stub", "write with the chip's ROM alone, without loading Espressif's flasher stub")
      .option("--each <csv>", "a series: a board for each row of name,ssid,password,key")
      .option("--log <csv>", "with --each: where results go, and what is done already")
      .option("--labels <folder>", "with --each: a label with a QR code for each board, as SVG");
  },
  run: runFlash,
};

async function runFlash(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const started = Date.now();
  const regions = () => {
    const found = regionsOf(context, args, options.dir as string | undefined);
    checkImages(found, sha256);
    return found;
  };
  if (options.each !== undefined) {
    const { flashEach } = await import("./flash-each.js");
    return flashEach(context, regions, options);
  }
  const files = regions();
  const result = await withLoader(context, (loader) => writeBoard(context, loader, files, options));
  const ms = Date.now() - started;
  report(context, result, ms);
  return {
    ...{ chip: result.identity.chip.name, mac: macText(result.identity.mac), flashSize: result.flashSize },
    ...{ bytesWritten: result.bytesWritten, bytesOnWire: result.bytesOnWire },
    ...{ sectorsErased: result.sectorsErased, skipped: result.skipped, verified: result.verified },
    ...{
      stub: result.stub,
      baudRate: result.baudRate,
      ...(result.left.length > 0 && { left: result.left }),
      ms,
    },
  };
}

function report(context: Context, result: Written, ms: number): void {
  const { bytesWritten, bytesOnWire, skipped } = result;
  const unchanged = skipped > 0 ? `, ${skipped} bytes were there already` : "";
  context.log(
    `Wrote ${bytesWritten} bytes (${bytesOnWire} on the wire)${unchanged}; ${(ms / 1000).toFixed(1)} s`,
  );
  context.log(result.verified ? "Hash of data verified. The board starts." : "The board starts.");
}
