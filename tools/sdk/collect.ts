// The parts of a board's flash out of what mcconfig left: found, checked, measured, given their offsets.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeAppDescriptor, parseAppDescriptor } from "../../firmware/format/app-descriptor.js";
import { findDefaults } from "../../firmware/format/defaults-block.js";
import { isBlank } from "../../firmware/format/canonical.js";
import { FormatError } from "../../firmware/format/error.js";
import { mendImage, parseImage, reader, verifyImageFile } from "../../firmware/format/image.js";
import type { ImageInfo } from "../../firmware/format/image.js";
import { initialOtadata, partitionTable } from "../build/tables.js";
import { sha256 } from "../build/virtual-image.js";
import type { Chip } from "../chips/chip.js";
import { chipByName } from "../chips/registry.js";
import { BroomeError } from "../error.js";
import { sectionsOf } from "../elf/elf.js";
import { checkStorage } from "./esp8266-storage.js";
import { checkLimits, esp8266Limits, memoryLimits, slotLimits, type Limits } from "./limits.js";
import { memoriesOf } from "./linker-map.js";
import { checkGenerated } from "./sdkconfig.js";
import type { SdkTarget } from "./target.js";

export interface Part {
  readonly name: string;
  readonly offset: number; // in flash
  readonly bytes: Uint8Array;
}

export interface Collected {
  readonly parts: readonly Part[];
  readonly limits: Limits;
  readonly defaults: { readonly offset: number; readonly capacity: number };
  /** The linked program, which names the addresses of a crash; undefined where mcconfig left none. */
  readonly program?: Uint8Array | undefined;
}

export interface CollectOptions {
  readonly target: SdkTarget;
  /** mcconfig's folders (project.ts). */
  readonly bin: string;
  readonly work: string;
  readonly version: string;
  readonly product: string;
  readonly securityCounter: number;
  /** The vendor's folder of the ESP8266. */
  readonly esp8266?: string | undefined;
}

/** Where the vendor's SDK of the ESP8266 looks for its init data, in 4 MB (make.esp.mk). */
export const ESP8266_INIT_DATA = 0x3fc000;

/** Throws `sdk-build-failed` for a part that is missing, `app-too-big`, `sdk-config`, `image-*`, `defaults-*`. */
export function collect(options: CollectOptions): Collected {
  const { toolchain } = options.target;
  if (toolchain === "esp-idf") return collectEspIdf(options);
  return toolchain === "esp8266" ? collectEsp8266(options) : collectHost(options);
}

function collectEspIdf({ target, bin, work, ...identity }: CollectOptions): Collected {
  const chip = chipByName(target.chip);
  const made = join(work, `xsProj-${target.subclass}`, "build");
  const settings = join(made, "config/sdkconfig.h");
  checkGenerated(read(settings).toString("utf8"), settings);
  const app = stamp(read(join(bin, "xs_esp32.bin")), identity);
  verifiedAs(join(bin, "xs_esp32.bin"), app);
  const memories = memoriesOf(read(join(made, "xs_esp32.map")).toString("latin1"));
  const sections = sectionsOf(read(join(made, "xs_esp32.elf")));
  const limits = { ...slotLimits(chip, app.length), ...memoryLimits(sections, memories) };
  checkLimits(target.chip, limits);
  const { layout } = chip;
  const parts = [
    { name: "bootloader.bin", offset: layout.bootloader.offset, bytes: bootloaderOf(bin, chip) },
    { name: "partition-table.bin", offset: layout.partitionTable.offset, bytes: table(bin, target) },
    { name: "ota_data_initial.bin", offset: layout.otadata.offset, bytes: initialOtadata() },
    { name: "app.bin", offset: layout.ota_0.offset, bytes: app },
  ];
  const program = join(bin, "xs_esp32.elf");
  return {
    ...{ parts, limits, defaults: blankBlock(app) },
    program: existsSync(program) ? readFileSync(program) : undefined,
  };
}

/** ESP-IDF's, which the ROM loads: whole, for this chip, and no longer than the room before the partition table. */
function bootloaderOf(bin: string, { name, layout, image }: Chip): Uint8Array {
  const path = join(bin, "bootloader.bin");
  const bytes = read(path);
  const { size } = layout.bootloader;
  if (bytes.length > size)
    throw new BroomeError(
      "sdk-config",
      `the bootloader has ${bytes.length} bytes; up to the partition table there are ${size}`,
      "Lower CONFIG_BOOTLOADER_LOG_LEVEL, or take out what was added to it.",
    );
  const { chipId } = verifiedAs(path, bytes);
  if (chipId === image.chipId) return bytes;
  const message = `${path} is for the chip with id ${chipId}; the ${name} has ${image.chipId}`;
  throw new BroomeError("sdk-build-failed", message, "Remove .broome/sdk/out and build again.");
}

/** `verifyImageFile`, with the name of the file in what it says. */
function verifiedAs(path: string, bytes: Uint8Array): ImageInfo {
  try {
    return verifyImageFile(bytes, sha256);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new BroomeError(cause.code, `${path}: ${cause.message}`, cause.help, { cause });
  }
}

/** The table that ESP-IDF made of partitions.csv must be the one of the chip's layout: flasher and updates rely on it. */
function table(bin: string, { chip }: SdkTarget): Uint8Array {
  const made = read(join(bin, "partition-table.bin"));
  const own = partitionTable(chipByName(chip));
  if (Buffer.compare(made.subarray(0, own.length), own) === 0) return made;
  throw new BroomeError(
    "sdk-config",
    "the partition table of the build is not the one of partitions.csv",
    "manifest.json's PARTITIONS_FILE must lead to it, and CONFIG_PARTITION_TABLE_MD5 be on.",
  );
}

function collectEsp8266({ target, bin, work, esp8266 }: CollectOptions): Collected {
  const chip = chipByName(target.chip);
  const { layout } = chip;
  const program = read(join(work, "main.elf"));
  const limits = esp8266Limits(sectionsOf(program));
  checkLimits(target.chip, limits);
  checkStorage(program, layout.broome);
  const app = read(join(bin, "main.bin"));
  verifiedAs(join(bin, "main.bin"), app);
  const vendor = join(esp8266 ?? "", "ESP8266_RTOS_SDK/components/esp8266/firmware");
  const bootloader = withFlashFields(read(join(vendor, "boot_v1.7.bin")), chip);
  const parts = [
    { name: "bootloader.bin", offset: layout.bootloader.offset, bytes: bootloader },
    { name: "app.bin", offset: layout.ota_0.offset, bytes: app },
    {
      name: "init-data.bin",
      offset: ESP8266_INIT_DATA,
      bytes: read(join(vendor, "esp_init_data_default.bin")),
    },
  ];
  return { parts, limits, defaults: blankBlock(app), program };
}

/**
 * The vendor's file says 512 KB and QIO. ROM and SDK go by that header: in 512 KB they would look for init data and settings amid the
 * app. esptool sets the fields as it writes, from the options that make.esp.mk gives it; our flasher writes files as they are.
 */
export function withFlashFields(bootloader: Uint8Array, { image }: Chip): Uint8Array {
  const bytes = Uint8Array.from(bootloader);
  bytes[2] = image.flashMode;
  bytes[3] = (image.flashSize << 4) | image.flashFrequency;
  return bytes;
}

function collectHost({ bin }: CollectOptions): Collected {
  const library = read(join(bin, "mc.so"));
  return {
    parts: [{ name: "app.bin", offset: 0, bytes: library }],
    limits: {},
    defaults: blankBlock(library),
  };
}

/** ESP-IDF's build system puts its own idea of name and version into the app descriptor: ours are what updates go by. */
function stamp(
  image: Uint8Array,
  { version, product, securityCounter }: { version: string; product: string; securityCounter: number },
): Uint8Array {
  const bytes = Uint8Array.from(image);
  const at = parseImage(reader(bytes), bytes.length).segments[0]!.fileOffset;
  const before = parseAppDescriptor(bytes.subarray(at));
  const project = Buffer.from(product)
    .subarray(0, 31)
    .toString("utf8")
    .replace(/\ufffd$/, "");
  const descriptor = encodeAppDescriptor({ ...before, version, project, secureVersion: securityCounter });
  // What lies behind the fields that we know (MMU page size, eFuse revisions) stays.
  bytes.set(descriptor.subarray(0, 176), at);
  mendImage(bytes, sha256);
  return bytes;
}

function blankBlock(image: Uint8Array): { offset: number; capacity: number } {
  const block = findDefaults(image);
  if (isBlank(image)) return block;
  throw new BroomeError(
    "image-personalised",
    "firmware/resources/defaults.bin is not blank",
    "Take the file of the repository: values go in with `broome patch`, after the build.",
  );
}

function read(path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  throw new BroomeError(
    "sdk-build-failed",
    `mcconfig ended, and there is no ${path}`,
    "See build.log beside the result.",
  );
}
