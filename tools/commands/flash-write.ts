// What `broome flash` does with one board: it is told apart, the images are checked against it, and written.

import { sha256 } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import { flash, type FlashResult } from "../esptool/flasher.js";
import { identityText, macText } from "../esptool/identity.js";
import { checkBoard, checkImages, unlikely } from "../esptool/image-checks.js";
import type { Loader } from "../esptool/loader.js";
import { selectsFirstSlot } from "../esptool/otadata-check.js";
import { sizeOf, type Region } from "../esptool/regions.js";
import { baudRateOf, codecs, stubFor } from "../node-flasher.js";
import type { Context, Options } from "../verb.js";

export interface Written extends FlashResult {
  /** Labels of places that a merged image would only have padded over. */
  readonly left: readonly string[];
}

/** `onBoard`: the MAC is known, nothing has changed; may throw. @throws what `flash` throws, and BroomeError `interrupted` */
export async function writeBoard(
  context: Context,
  loader: Loader,
  regions: readonly Region[],
  options: Options,
  onBoard: (mac: string) => void = () => undefined,
): Promise<Written> {
  const erase = options.erase === true;
  const left: string[] = [];
  let bar: ReturnType<Context["progress"]> | undefined;
  try {
    const result = await flash(loader, {
      ...{ regions, codecs, erase, baudRate: baudRateOf(context) },
      ...(options.stub !== false && { stub: stubFor }),
      check(board) {
        onBoard(macText(board.identity.mac));
        context.log(identityText(board.identity));
        context.log(`Flash size:         ${board.flashSize / 2 ** 20}MB`);
        const cut = checkBoard(board, regions, erase);
        checkImages(cut.regions, sha256);
        for (const { name, offset } of unlikely(board, regions))
          context.log(`warning: ${name} is no image; it goes to 0x${offset.toString(16)} as it is`);
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
    return { ...result, left };
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
