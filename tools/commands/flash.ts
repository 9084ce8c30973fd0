// `broome flash`: images onto a board, over its serial port.

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { sha256 } from "../build/virtual-image.js";
import { allChips } from "../chips/registry.js";
import { BroomeError } from "../error.js";
import { flash, type Codecs, type FlashResult, type Region } from "../esptool/flasher.js";
import { identityText, macText } from "../esptool/identity.js";
import { checkBoard, checkImages } from "../esptool/image-checks.js";
import { Loader } from "../esptool/loader.js";
import { selectsFirstSlot } from "../esptool/otadata-check.js";
import { choosePort } from "../serial/choose.js";
import { openPort } from "../serial/open.js";
import type { Context, Options, Verb } from "../verb.js";
import { regionsOf } from "./flash-regions.js";

const CONNECT_BAUD_RATE = 115200;
const FLASH_BAUD_RATE = 460800; // most adapters can; the flasher falls back where one cannot
const MAX_BAUD_RATE = 5_000_000;

const deflateAsync = promisify<Uint8Array, { level: number }, Buffer>(deflate);

const codecs: Codecs = {
  deflate: async (bytes) => new Uint8Array(await deflateAsync(bytes, { level: 9 })),
  md5: (bytes) => createHash("md5").update(bytes).digest("hex"),
};

export const verb: Verb = {
  name: "flash",
  summary: "images onto a board, over its serial port",
  configure(command) {
    command
      .argument("[offset-file...]", "offsets in flash and the files that go there, in pairs")
      .option("--dir <folder>", "all files of a build (build.json)")
      .option("--erase", "erase the whole flash first: the board forgets everything")
      .option("--no-stub", "accepted as esptool does; nothing is loaded into the board either way");
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
  const baudRate = baudRateOf(context);
  const name = await choosePort(context.port);
  context.log(`Serial port ${name}`);
  const port = await openPort(name, { baudRate: CONNECT_BAUD_RATE });
  const loader = new Loader({ port, chips: allChips(), signal: context.signal });
  try {
    const result = await write(context, loader, regions, options.erase === true, baudRate);
    const ms = Date.now() - started;
    report(context, result, ms);
    return {
      ...{ chip: result.identity.chip.name, mac: macText(result.identity.mac), flashSize: result.flashSize },
      ...{ bytesWritten: result.bytesWritten, bytesOnWire: result.bytesOnWire },
      ...{ sectorsErased: result.sectorsErased, skipped: result.skipped, verified: result.verified, ms },
    };
  } finally {
    loader.close();
    await port.close();
  }
}

async function write(
  context: Context,
  loader: Loader,
  regions: Region[],
  erase: boolean,
  baudRate: number,
): Promise<FlashResult> {
  const total = regions.reduce((sum, { data }) => sum + data.length, 0);
  let bar: ReturnType<Context["progress"]> | undefined;
  try {
    return await flash(loader, {
      ...{ regions, codecs, erase, baudRate },
      check(board) {
        context.log(identityText(board.identity));
        context.log(`Flash size:         ${board.flashSize / 2 ** 20}MB`);
        checkBoard(board, regions, erase);
        bar = context.progress("flash", total);
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
    "What the board holds may be incomplete: flash it again. It still answers in download mode.",
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

function baudRateOf(context: Context): number {
  const baud = context.baud ?? FLASH_BAUD_RATE;
  if (Number.isInteger(baud) && baud >= 300 && baud <= MAX_BAUD_RATE) return baud;
  throw new BroomeError("usage", `-b ${baud} is no baud rate`, "Usual ones: 115200, 230400, 460800, 921600.");
}
