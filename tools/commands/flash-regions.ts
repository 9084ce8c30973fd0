// What `broome flash` writes where: pairs of offset and file, a build's folder, or what earlier verbs of the chain left.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseImage, reader } from "../../firmware/format/image.js";
import { chipByImageId } from "../chips/registry.js";
import { BroomeError } from "../error.js";
import type { Region } from "../esptool/regions.js";
import type { Context } from "../verb.js";

interface Part {
  readonly offset: number;
  readonly path: string;
}

/** The verbs that take files as `flash` does. */
type FileVerb = "flash" | "verify-flash" | "merge-bin";

/** `verb`: who asks, for the words of what is wrong. @throws BroomeError `usage`, `file-unreadable`, `build-missing` */
export function regionsOf(
  context: Context,
  args: readonly string[],
  dir: string | undefined,
  verb: FileVerb = "flash",
): Region[] {
  if (args.length > 0 && dir !== undefined) throw usage("both OFFSET FILE and --dir were given", verb);
  if (args.length > 0) return pairs(args, verb).map(load);
  const folder = dir ?? context.chain.dir;
  if (folder === undefined) return [chainImage(context, verb)];
  const regions = partsOf(folder).map(load);
  if (dir !== undefined || context.chain.image === undefined) return regions;
  const image = chainImage(context, verb); // patched: takes the place of the app that was built
  return [...regions.filter(({ offset }) => offset !== image.offset), image];
}

function pairs(args: readonly string[], verb: FileVerb): Part[] {
  if (args.length % 2 !== 0) throw usage(`${args.at(-1)} has no file: offsets and files come in pairs`, verb);
  const parts: Part[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const text = args[i]!;
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw usage(`"${text}" is no offset`, verb);
    parts.push({ offset: Number(text), path: args[i + 1]! });
  }
  return parts;
}

/** build.json of our builds, or flasher_args.json of ESP-IDF's. */
function partsOf(folder: string): Part[] {
  const ours = readJson(join(folder, "build.json")) as { files?: Part[]; program?: string } | undefined;
  if (ours?.program !== undefined)
    throw new BroomeError(
      "chip-unsupported",
      `${folder} is a build for Linux: there is no board to flash it to`,
      `Run it here: ${ours.program} ${join(folder, "app.bin")}`,
    );
  if (ours?.files) return ours.files.map(({ offset, path }) => ({ offset, path: join(folder, path) }));
  const idf = readJson(join(folder, "flasher_args.json")) as
    { flash_files?: Record<string, string> } | undefined;
  if (idf?.flash_files) {
    return Object.entries(idf.flash_files).map(([offset, path]) => ({
      offset: Number(offset),
      path: join(folder, path),
    }));
  }
  const message = `there is no build.json in ${folder}`;
  throw new BroomeError(
    "build-missing",
    message,
    "Run `broome build` first, or name the files: OFFSET FILE ...",
  );
}

function chainImage(context: Context, verb: FileVerb): Region {
  const { image } = context.chain;
  if (image === undefined) throw usage(`${verb} was given no files`, verb);
  const data = load({ offset: 0, path: image }).data;
  const chip = chipByImageId(parseImage(reader(data), data.length).chipId);
  return { offset: chip.layout.ota_0.offset, data, name: image };
}

function load({ offset, path }: Part): Region {
  try {
    return { offset, data: new Uint8Array(readFileSync(path)), name: path };
  } catch (cause) {
    throw new BroomeError("file-unreadable", `${path}: ${(cause as Error).message}`, "Check the name.", {
      cause,
    });
  }
}

function readJson(path: string): unknown {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new BroomeError("file-unreadable", `${path}: ${(cause as Error).message}`, "Build again.", {
      cause,
    });
  }
}

function usage(message: string, verb: FileVerb): BroomeError {
  const chained = verb === "flash" ? ", or broome build flash" : "";
  return new BroomeError("usage", message, `Write: broome ${verb} OFFSET FILE ..., or --dir DIR${chained}.`);
}
