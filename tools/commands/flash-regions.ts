// What `broome flash` writes where: pairs of offset and file, a build's folder, or what earlier verbs of the chain left.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseImage, reader } from "../../firmware/format/image.js";
import { chipByImageId } from "../chips/registry.js";
import { BroomeError } from "../error.js";
import type { Region } from "../esptool/regions.js";
import { readNamedFile, readNamedText } from "../named-file.js";
import type { Context } from "../verb.js";

interface Part {
  readonly offset: number;
  readonly path: string;
}

/** The verbs that take files as `flash` does. */
type FileVerb = "flash" | "verify-flash" | "merge-bin";

/** `verb`: who asks, for the words of what is wrong. @throws BroomeError `usage`, `file-unreadable`, `file-too-large`, `region-invalid`, `build-missing` */
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
  const [oursFile, idfFile] = ["build.json", "flasher_args.json"].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  const ours = readJson(oursFile);
  if (ours?.program !== undefined)
    throw new BroomeError(
      "chip-unsupported",
      `${folder} is a build for Linux: there is no board to flash it to`,
      `Run it here: ${String(ours.program)} ${join(folder, "app.bin")}`,
    );
  if (Array.isArray(ours?.files)) return (ours.files as unknown[]).map((part) => partOf(part, oursFile));
  const { flash_files: files } = readJson(idfFile) ?? {};
  if (isObject(files))
    return Object.entries(files).map(([offset, path]) => partOf({ offset: Number(offset), path }, idfFile));
  const message = `there is no build.json in ${folder}`;
  throw new BroomeError(
    "build-missing",
    message,
    "Run `broome build` first, or name the files: OFFSET FILE ...",
  );
}

/** `part`: one file of the list in `listFile`, beside which it lies. Throws `file-unreadable`. */
function partOf(part: unknown, listFile: string): Part {
  const { offset, path } = isObject(part) ? part : {};
  if (Number.isInteger(offset) && (offset as number) >= 0 && typeof path === "string")
    return { offset: offset as number, path: join(dirname(listFile), path) };
  const message = `${listFile} lists a file without offset and path`;
  throw new BroomeError("file-unreadable", message, "Build again.");
}

type Json = Readonly<Record<string, unknown>>;

function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null;
}

function chainImage(context: Context, verb: FileVerb): Region {
  const { image } = context.chain;
  if (image === undefined) throw usage(`${verb} was given no files`, verb);
  const data = load({ offset: 0, path: image }).data;
  const chip = chipByImageId(parseImage(reader(data), data.length).chipId);
  return { offset: chip.layout.ota_0.offset, data, name: image };
}

function load({ offset, path }: Part): Region {
  const data = readNamedFile(path);
  if (data.length > 0) return { offset, data, name: path };
  throw new BroomeError("region-invalid", `${path} is empty`, "Build or copy it again.");
}

/** Undefined where there is no such file. Throws `file-unreadable` where it is no JSON object. */
function readJson(path: string): Json | undefined {
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readNamedText(path));
  } catch (cause) {
    if (cause instanceof BroomeError) throw cause;
    throw new BroomeError("file-unreadable", `${path} is not JSON`, "Build again.", { cause });
  }
  if (isObject(json)) return json;
  throw new BroomeError("file-unreadable", `${path} holds no JSON object`, "Build again.");
}

function usage(message: string, verb: FileVerb): BroomeError {
  const chained = verb === "flash" ? ", or broome build flash" : "";
  return new BroomeError("usage", message, `Write: broome ${verb} OFFSET FILE ..., or --dir DIR${chained}.`);
}
