// `broome image-info`: what an image file holds, in esptool's words.

import { parseAppDescriptor, type AppDescriptor } from "../../firmware/format/app-descriptor.js";
import { findDefaults, readDefaults } from "../../firmware/format/defaults-block.js";
import { FormatError } from "../../firmware/format/error.js";
import { checkImage, parseImage, reader, type ImageInfo } from "../../firmware/format/image.js";
import { sha256 } from "../build/virtual-image.js";
import { allChips } from "../chips/registry.js";
import { readNamedFile } from "../named-file.js";
import type { Context, Verb } from "../verb.js";

const flashModes = ["QIO", "QOUT", "DIO", "DOUT", "FAST_READ", "SLOW_READ"];

export const verb: Verb = {
  name: "image-info",
  summary: "what an image file holds",
  configure(command) {
    command.argument("<file>", "an app image");
  },
  async run(context, args) {
    const bytes = readNamedFile(args[0]!);
    const info = parseImage(reader(bytes), bytes.length);
    const sums = checkImage(reader(bytes), info, sha256);
    const app = descriptorOf(bytes.subarray(info.segments[0]!.fileOffset));
    const chip = allChips().find(({ image }) => image.chipId === info.chipId);
    const chipName = chip?.family ?? `unknown chip ${info.chipId}`;
    const defaults = defaultsOf(bytes);
    const result = {
      ...{ imageSize: bytes.length, chip: chipName, chipId: info.chipId, form: info.form },
      ...{ entry: hex(info.entry, 8), flashMode: flashModes[info.flashMode] ?? hex(info.flashMode) },
      ...{
        flashSize: chip?.image.flashSizes[info.flashSize] ?? hex(info.flashSize),
        flashFrequency: chip?.image.flashFrequencies[info.flashFrequency] ?? hex(info.flashFrequency),
        minRevision: revision(info.minRevision),
      },
      ...{ maxRevision: revision(info.maxRevision), segments: info.segments },
      checksum: { value: hex(info.checksum, 2), valid: sums.checksum === info.checksum },
      validationHash: sums.digest && {
        value: Buffer.from(sums.digest.stored).toString("hex"),
        valid: sums.digest.valid,
      },
      crc: sums.crc && { value: hex(sums.crc.stored, 8), valid: sums.crc.valid },
      app: app && { ...app, elfSha256: Buffer.from(app.elfSha256).toString("hex") },
      defaults,
    };
    print(context, info, result);
    return result;
  },
};

type Result = {
  imageSize: number;
  chip: string;
  entry: string;
  flashMode: string;
  flashSize: string;
  flashFrequency: string;
  minRevision: string;
  maxRevision: string;
  checksum: { value: string; valid: boolean };
  validationHash: { value: string; valid: boolean } | undefined;
  crc: { value: string; valid: boolean } | undefined;
  app: (Omit<AppDescriptor, "elfSha256"> & { elfSha256: string }) | undefined;
  defaults: DefaultsInfo;
};

interface DefaultsInfo {
  state: "blank" | "personalised" | "none" | "damaged";
  offset?: number;
  capacity?: number;
  keys?: string[];
}

function print(context: Context, info: ImageInfo, result: Result): void {
  const valid = (sum: { value: string; valid: boolean }) =>
    `${sum.value} (${sum.valid ? "valid" : "invalid!"})`;
  const lines = [
    `Image size: ${result.imageSize} bytes`,
    `Detected image type: ${result.chip}`,
    `Entry point: ${result.entry}`,
    `Segments: ${info.segments.length}`,
    `Flash size: ${result.flashSize}`,
    `Flash freq: ${result.flashFrequency}`,
    `Flash mode: ${result.flashMode}`,
    ...(info.form === "esp32" ? extendedLines(info, result) : []),
    "Segment   Length   Load addr   File offs",
    ...info.segments.map(
      ({ length, loadAddress, fileOffset }, i) =>
        `${String(i).padStart(7)}  ${hex(length, 5)}  ${hex(loadAddress, 8)}  ${hex(fileOffset - 8, 8)}`,
    ),
    `Checksum: ${valid(result.checksum)}`,
    ...(info.form === "esp32"
      ? [`Validation hash: ${result.validationHash ? valid(result.validationHash) : "not appended"}`]
      : []),
    ...(result.crc ? [`CRC-32: ${valid(result.crc)}`] : []),
    ...(result.app ? appLines(result.app) : ["No application descriptor"]),
    `Defaults block: ${defaultsText(result.defaults)}`,
  ];
  for (const line of lines) if (!context.json) context.print(line);
}

/** Of the 24-byte header. */
function extendedLines({ chipId }: ImageInfo, { chip, minRevision, maxRevision }: Result): string[] {
  return [
    `Chip ID: ${chipId} (${chip})`,
    `Minimal chip revision: ${minRevision}`,
    `Maximal chip revision: ${maxRevision}`,
  ];
}

function appLines(app: NonNullable<Result["app"]>): string[] {
  return [
    `Project name: ${app.project}`,
    `App version: ${app.version}`,
    `Compile time: ${app.date} ${app.time}`,
    `ELF file SHA256: ${app.elfSha256}`,
    `ESP-IDF: ${app.idf}`,
    `Secure version: ${app.secureVersion}`,
  ];
}

function defaultsText({ state, offset, capacity, keys }: DefaultsInfo): string {
  if (offset === undefined) return state;
  const place = `at ${hex(offset)}, ${capacity} bytes`;
  return keys ? `${state} (${keys.join(", ")}), ${place}` : `${state}, ${place}`;
}

function defaultsOf(bytes: Uint8Array): DefaultsInfo {
  try {
    const place = findDefaults(bytes);
    const values = readDefaults(bytes.subarray(place.offset));
    return values
      ? { state: "personalised", ...place, keys: Object.keys(values) }
      : { state: "blank", ...place };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { state: error.code === "defaults-missing" ? "none" : "damaged" };
  }
}

/** `data` is that of the first segment. */
function descriptorOf(data: Uint8Array): AppDescriptor | undefined {
  try {
    return parseAppDescriptor(data);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return undefined; // a bootloader, say: not an error here
  }
}

function revision(value: number): string {
  return `v${Math.floor(value / 100)}.${value % 100}`;
}

function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
