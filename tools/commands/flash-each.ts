// `broome flash --each devices.csv --log results.csv`: a series of boards from one image.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import type { Loader } from "../esptool/loader.js";
import type { Region } from "../esptool/regions.js";
import { readNamedText } from "../named-file.js";
import { withLoaderAt } from "../node-flasher.js";
import { patch, readValues } from "../patch/patch.js";
import { mergeValues } from "../patch/values.js";
import { parseDevices, type Device } from "../series/devices-csv.js";
import { labelSvg } from "../series/label.js";
import { lockLog, ResultsLog } from "../series/results-log.js";
import { Plugged } from "../series/plugged.js";
import { BoardIsDone, runSeries } from "../series/series.js";
import { choosePort } from "../serial/choose.js";
import { usbIds } from "../serial/list.js";
import type { Context, Options } from "../verb.js";
import { enterKey } from "./enter-key.js";
import { writeBoard } from "./flash-write.js";
import { writePrivately } from "../private-file.js";

const LOOK_AGAIN_MS = 1500;
const IMAGE_MAGIC = 0xe9;

/**
 * `files`: what goes onto each board; asked for when the list of boards has been read.
 *
 * @throws BroomeError `series-invalid`, `series-busy`, `series-incomplete`, `defaults-missing`; what patching each row throws
 */
export async function flashEach(
  context: Context,
  files: () => readonly Region[],
  options: Options,
): Promise<Record<string, unknown>> {
  const started = Date.now();
  if (options.log === undefined)
    throw new BroomeError("usage", "--each needs --log", "Name the file for the results: --log results.csv.");
  const devices = parseDevices(readNamedText(options.each as string));
  const regions = files();
  for (const device of devices) personalise(regions, device); // before the first board is touched
  const unlock = lockLog(options.log as string);
  try {
    return await flashRows(context, devices, regions, options, started);
  } finally {
    unlock();
  }
}

async function flashRows(
  context: Context,
  devices: readonly Device[],
  regions: readonly Region[],
  options: Options,
  started: number,
): Promise<Record<string, unknown>> {
  const log = new ResultsLog(options.log as string);
  const labels = labelsFolder(options);
  const chips = new Map<string, string>(); // by name
  const pause = () => sleep(LOOK_AGAIN_MS, undefined, { signal: context.signal });
  const say = (text: string) => context.log(text);
  const enter = enterKey();
  const present = async (port: string) => (await usbIds(port)) !== undefined;
  const plugged = new Plugged({ present, pause, say, insists: () => enter.pressed() });
  const result = await runSeries({
    ...{ devices, log, say, pause, now: () => new Date() },
    async flash(device, onBoard) {
      await plugged.untilAnother();
      const port = await choosePort(context.port);
      const flashOne = async (loader: Loader) => {
        const named = (mac: string) => {
          onBoard(mac);
          say(`Serial port ${port}`);
        };
        await writeOrLetRun(context, loader, personalise(regions, device), options, named);
        chips.set(device.name, loader.chip.name);
      };
      try {
        await withLoaderAt(port, { ...context, log: () => undefined }, flashOne); // a look that finds nobody says nothing
        plugged.finished(port);
      } catch (error) {
        if (error instanceof BoardIsDone) plugged.finished(port);
        throw error;
      }
    },
    onFlashed: (device, mac) => label(labels, device, mac, chips.get(device.name) ?? ""),
  }).finally(() => enter.close());
  const summary = `${result.done.length} boards done, ${result.skipped.length} rows were finished before`;
  if (result.failed.length > 0)
    throw new BroomeError(
      "series-incomplete",
      `${summary}; not done: ${result.failed.join(", ")}`,
      `${options.log} says why. The same command tries them again.`,
    );
  context.log(summary);
  return { ...result, ms: Date.now() - started };
}

/** A board that is done was only reset to see its MAC: it goes back to its app. */
async function writeOrLetRun(
  context: Context,
  loader: Loader,
  regions: readonly Region[],
  options: Options,
  onBoard: (mac: string) => void,
): Promise<void> {
  try {
    await writeBoard(context, loader, regions, options, onBoard);
  } catch (error) {
    if (error instanceof BoardIsDone) await loader.runApp();
    throw error;
  }
}

/** The regions with the row's values in every image that takes them. */
function personalise(regions: readonly Region[], { name, values }: Device): Region[] {
  let taken = 0;
  const patched = regions.map((region) => {
    if (region.data[0] !== IMAGE_MAGIC) return region;
    try {
      const merged = mergeValues(readValues(region.data, { sha256 }), values);
      const { image } = patch(region.data, merged, { sha256 });
      taken += 1;
      return { ...region, data: image };
    } catch (error) {
      if ((error as { code?: string }).code === "defaults-missing") return region; // a bootloader
      throw error;
    }
  });
  if (taken > 0) return patched;
  const message = `no image among the files takes the values of "${name}"`;
  throw new BroomeError("defaults-missing", message, "Name the app's file, built by `broome build`.");
}

/** Made before the first board is touched. Throws `file-unwritable`. */
function labelsFolder({ labels }: Options): string | undefined {
  if (labels === undefined) return undefined;
  try {
    mkdirSync(labels as string, { recursive: true });
    return labels as string;
  } catch (cause) {
    const message = `${labels as string}: ${(cause as Error).message}`;
    throw new BroomeError("file-unwritable", message, "Name another folder with --labels.", { cause });
  }
}

function label(folder: string | undefined, { name }: Device, mac: string, chip: string): void {
  if (folder === undefined) return;
  writePrivately(join(folder, `${mac.replaceAll(":", "")}.svg`), labelSvg({ name, mac, chip }));
}
