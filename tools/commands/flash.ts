// `broome flash`: images onto a board, over its serial port.

import { sha256 } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import { flash, type FlashResult } from "../esptool/flasher.js";
import { identityText, macText } from "../esptool/identity.js";
import { checkBoard, checkImages } from "../esptool/image-checks.js";
import type { Loader } from "../esptool/loader.js";
import { selectsFirstSlot } from "../esptool/otadata-check.js";
import { sizeOf, type Region } from "../esptool/regions.js";
import { baudRateOf, codecs, stubFor, withLoader } from "../node-flasher.js";
import type { Context, Options, Verb } from "../verb.js";
import { regionsOf } from "./flash-regions.js";

export const verb: Verb = {
  name: "flash",
  summary: "images onto a board, over its serial port",
  configure(command) {
    command
      .argument("[offset-file...]", "offsets in flash and the files that go there, in pairs")
      .option("--dir <folder>", "all files of a build (build.json)")
      .option("--erase", "erase the whole flash first: the board forgets everything")
      .option("--no-stub", "write with the chip's ROM alone, without loading Espressif's flasher stub");
  },
  run: runFlash,
};

async function runFlash(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const started = Date.now();
  const regions = regionsOf(context, args, options.dir as string | undefined);
  checkImages(regions, sha256);
  const left: string[] = [];
  const result = await withLoader(context, (loader) => write(context, loader, regions, options, left));
  const ms = Date.now() - started;
  report(context, result, ms);
  return {
    ...{ chip: result.identity.chip.name, mac: macText(result.identity.mac), flashSize: result.flashSize },
    ...{ bytesWritten: result.bytesWritten, bytesOnWire: result.bytesOnWire },
    ...{ sectorsErased: result.sectorsErased, skipped: result.skipped, verified: result.verified },
    ...{ stub: result.stub, baudRate: result.baudRate, ...(left.length > 0 && { left }), ms },
  };
}

async function write(
  context: Context,
  loader: Loader,
  regions: readonly Region[],
  options: Options,
  left: string[],
): Promise<FlashResult> {
  const erase = options.erase === true;
  let bar: ReturnType<Context["progress"]> | undefined;
  try {
    return await flash(loader, {
      ...{ regions, codecs, erase, baudRate: baudRateOf(context) },
      ...(options.stub !== false && { stub: stubFor }),
      check(board) {
        context.log(identityText(board.identity));
        context.log(`Flash size:         ${board.flashSize / 2 ** 20}MB`);
        const cut = checkBoard(board, regions, erase);
        checkImages(cut.regions, sha256);
        for (const { label, offset } of cut.left) {
          left.push(label);
          context.log(`protected-region: ${label} at 0x${offset.toString(16)} is left as it is`);
        }
        bar = context.progress("flash", sizeOf(cut.regions));
        return cut.regions;
      },
      leave: (region, read) => selectsFirstSlot(loader.chip, region, read),
      onProgress: (done) => bar?.update(done),
      onNote: (text) => context.log(text),
    });
  } catch (error) {
    if (context.signal.aborted && bar !== undefined) throw interrupted(error);
    throw error;
  } finally {
    bar?.end();
  }
}

/** The one thing that Ctrl-C can leave half-written: there is no second flash to write to. */
function interrupted(cause: unknown): BroomeError {
  return new BroomeError(
    "interrupted",
    "interrupted while the board was being written",
    "What the board holds may be incomplete. The same command goes on where this one stopped: flash it again.",
    { cause },
  );
}

function report(context: Context, result: FlashResult, ms: number): void {
  const { bytesWritten, bytesOnWire, skipped } = result;
  const unchanged = skipped > 0 ? `, ${skipped} bytes were there already` : "";
  context.log(
    `Wrote ${bytesWritten} bytes (${bytesOnWire} on the wire)${unchanged}; ${(ms / 1000).toFixed(1)} s`,
  );
  context.log(result.verified ? "Hash of data verified. The board starts." : "The board starts.");
}
