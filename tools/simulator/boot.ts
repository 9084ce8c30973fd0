// The second-stage bootloader of a virtual board: what ESP-IDF's does with the same flash, in its words (bootloader_utility.c,
// esp_image_format.c, bootloader_common.c).

import { createHash } from "node:crypto";
import {
  APP_DESCRIPTOR_SIZE,
  parseAppDescriptor,
  type AppDescriptor,
} from "../../firmware/format/app-descriptor.js";
import type { Hash } from "../../firmware/format/hash.js";
import { verifyImage, type ImageInfo } from "../../firmware/format/image.js";
import { bootOrder, chooseSlot, OTA_ABORTED, OTA_VALID } from "../../firmware/format/otadata.js";
import {
  PARTITION_TABLE_SIZE,
  parsePartitionTable,
  SUBTYPE_OTA_0,
  SUBTYPE_OTADATA,
  TYPE_APP,
  TYPE_DATA,
  type Partition,
} from "../../firmware/format/partition-table.js";
import { z } from "zod";
import type { Chip, Region } from "../chips/chip.js";
import { ESP8266_CREATION, readArchive, type Creation } from "../engine/engine.js";
import { PowerCut, SECTOR_SIZE, type NorFlash } from "./flash.js";
import { readOtaEntries, writeOtaEntry, type Slot } from "./slots.js";

/** The project name of images that virtual boards run: their code is bytecode in the first segment. */
export const VIRTUAL_PROJECT = "broome-virtual";

const MAX_OTA_SLOTS = 16;
const CREATION_RESOURCE = "creation.json";
const DEFAULT_MAIN = "firmware/main";

const size = z.int().positive();
const increment = z.int().nonnegative();
const creationFile = z.object({
  main: z.string().default(DEFAULT_MAIN),
  staticSize: size,
  chunkInitial: size,
  chunkIncrement: increment,
  heapInitial: size,
  heapIncrement: increment,
  stack: size,
  keyInitial: size,
  keyIncrement: increment,
  nameModulo: size,
  symbolModulo: size,
});

export type LogLevel = "E" | "W" | "I";
export type BootLog = (level: LogLevel, tag: string, text: string) => void;

/** What was found bootable. */
export interface BootedApp {
  readonly partitions: readonly Partition[];
  readonly otadata: Region | undefined;
  readonly slots: readonly Slot[];
  readonly running: number; // index in slots
  readonly descriptor: AppDescriptor;
  /** Where the archive lies in flash. */
  readonly archive: Region;
  /** The module that runs, and the memory it gets: the archive's resource creation.json. */
  readonly main: string;
  readonly creation: Creation;
}

/** SHA-256 for firmware/format. */
export function sha256(): Hash {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

function md5(): Hash {
  const hash = createHash("md5");
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

/**
 * Chooses a slot and verifies its image; rewrites otadata as ESP-IDF's bootloader does.
 *
 * @returns undefined where nothing can be booted; the log says why
 * @throws PowerCut
 */
export function boot(flash: NorFlash, chip: Chip, log: BootLog): BootedApp | undefined {
  log("I", "boot", `Broome virtual ${chip.name} 2nd stage bootloader`);
  const partitions = readTable(flash, chip, log);
  if (partitions === undefined) return undefined;
  const slots = appSlots(partitions);
  const otadata = partitions.find((row) => row.type === TYPE_DATA && row.subtype === SUBTYPE_OTADATA);
  const choice = otadata === undefined ? undefined : applyOtadata(flash, otadata, slots, log);
  for (const index of bootOrder(choice?.slot ?? 0, slots.length)) {
    const app = tryLoad(flash, chip, slots[index]!, log);
    if (app === undefined) {
      log("E", "boot", `OTA app partition slot ${index} is not bootable`);
      continue;
    }
    if (otadata !== undefined && choice?.initial) {
      writeOtaEntry(flash, otadata, 0, index + 1, OTA_VALID);
      log("I", "boot", `Set actual ota_seq=${index + 1} in otadata[0]`);
    }
    log("I", "boot", `Loaded app from partition at offset ${hex(slots[index]!.offset)}`);
    return { partitions, otadata, slots, running: index, ...app };
  }
  log("E", "boot", "No bootable app partitions in the partition table");
  return undefined;
}

/**
 * Verifies the image in a slot as the bootloader does.
 *
 * @throws FormatError in the bootloader's words
 */
export function verifySlot(flash: NorFlash, chip: Chip, slot: Region): ImageInfo {
  const info = verifyImage((offset, length) => flash.read(slot.offset + offset, length), slot.size, sha256);
  const { chipId, form } = chip.image;
  const { majorRevision, minorRevision } = chip.rom.specimen;
  const own = majorRevision * 100 + minorRevision;
  if (info.form !== form) throw new Error(`mismatch image form, expected ${form}, found ${info.form}`);
  if (info.chipId !== chipId) throw new Error(`mismatch chip ID, expected ${chipId}, found ${info.chipId}`);
  if (info.minRevision > own)
    throw new Error(`Image requires chip rev >= ${revision(info.minRevision)}, but chip is ${revision(own)}`);
  return info;
}

function readTable(flash: NorFlash, chip: Chip, log: BootLog): Partition[] | undefined {
  const { offset } = chip.layout.partitionTable;
  try {
    if (offset + PARTITION_TABLE_SIZE > flash.size)
      throw new Error(`the flash ends before the partition table at ${hex(offset)}`);
    const partitions = parsePartitionTable(flash.read(offset, PARTITION_TABLE_SIZE), md5);
    const beyond = partitions.find((row) => row.offset + row.size > flash.size);
    if (beyond !== undefined)
      throw new Error(`partition ${beyond.label} ends beyond the flash of ${hex(flash.size)}`);
    printTable(partitions, log);
    return partitions;
  } catch (error) {
    log("E", "flash_parts", messageOf(error));
    log("E", "boot", "Failed to verify partition table");
    return undefined;
  }
}

/** As print in bootloader_utility_load_partition_table. */
function printTable(partitions: readonly Partition[], log: BootLog): void {
  log("I", "boot", "Partition Table:");
  log("I", "boot", "## Label            Usage          Type ST Offset   Length");
  partitions.forEach((row, index) => {
    const columns = [
      String(index).padStart(2),
      row.label.padEnd(16),
      usage(row).padEnd(16),
      hexDigits(row.type, 2),
      hexDigits(row.subtype, 2),
      hexDigits(row.offset, 8),
      hexDigits(row.size, 8),
    ];
    log("I", "boot", columns.join(" "));
  });
  log("I", "boot", "End of partition table");
}

function usage({ type, subtype }: Partition): string {
  if (type === TYPE_APP) {
    if (subtype === 0) return "factory app";
    if (subtype === 0x20) return "test app";
    return isOtaSlot(subtype) ? "OTA app" : "Unknown app";
  }
  if (type !== TYPE_DATA) return "Unknown data";
  const names: Record<number, string> = { 0: "OTA data", 1: "RF data", 2: "WiFi data", 4: "NVS keys" };
  return names[subtype] ?? "Unknown data";
}

function isOtaSlot(subtype: number): boolean {
  return subtype >= SUBTYPE_OTA_0 && subtype < SUBTYPE_OTA_0 + MAX_OTA_SLOTS;
}

function appSlots(partitions: readonly Partition[]): Slot[] {
  return partitions
    .filter((row) => row.type === TYPE_APP && isOtaSlot(row.subtype))
    .sort((a, b) => a.subtype - b.subtype);
}

function applyOtadata(
  flash: NorFlash,
  otadata: Region,
  slots: readonly Slot[],
  log: BootLog,
): { slot: number; initial: boolean } {
  const choice = chooseSlot(readOtaEntries(flash, otadata), Math.max(1, slots.length));
  for (const sector of [0, 1] as const) {
    if (!choice.changed[sector]) continue;
    const { sequence, state, crcGood } = choice.entries[sector];
    if (state === OTA_ABORTED)
      log("W", "boot", `otadata[${sector}]: the trial was not confirmed, marked as aborted`);
    if (crcGood) writeOtaEntry(flash, otadata, sector, sequence, state);
    else flash.erase(otadata.offset + sector * SECTOR_SIZE);
  }
  if (choice.active === undefined && !choice.initial) log("E", "boot", "ota data partition invalid");
  if (choice.initial) log("I", "boot", "No factory image, trying OTA 0");
  return choice;
}

function tryLoad(
  flash: NorFlash,
  chip: Chip,
  slot: Slot,
  log: BootLog,
): Pick<BootedApp, "descriptor" | "archive" | "main" | "creation"> | undefined {
  if (flash.read(slot.offset, 1)[0] !== 0xe9) {
    const place = `image at ${hex(slot.offset)} has invalid magic byte (nothing flashed here?)`;
    log("E", "esp_image", place);
    return undefined;
  }
  try {
    const info = verifySlot(flash, chip, slot);
    info.segments.forEach((segment, index) => log("I", "esp_image", segmentLine(chip, slot, segment, index)));
    const [first] = info.segments;
    const start = slot.offset + first!.fileOffset;
    const descriptor = parseAppDescriptor(flash.read(start, APP_DESCRIPTOR_SIZE));
    if (descriptor.project !== VIRTUAL_PROJECT)
      throw new Error(
        `project "${descriptor.project}" is machine code: a virtual board runs ${VIRTUAL_PROJECT} only`,
      );
    const archive = { offset: start + APP_DESCRIPTOR_SIZE, size: first!.length - APP_DESCRIPTOR_SIZE };
    return { descriptor, ...readProgram(flash, archive) };
  } catch (error) {
    if (error instanceof PowerCut) throw error;
    log("E", "esp_image", messageOf(error));
    return undefined;
  }
}

/** Checks the archive and reads what it says about how it is to be run. */
function readProgram(flash: NorFlash, archive: Region): Pick<BootedApp, "archive" | "main" | "creation"> {
  const bytes = flash.read(archive.offset, archive.size);
  const resource = readArchive(bytes).resources.find(({ name }) => name === CREATION_RESOURCE);
  if (resource === undefined) return { archive, main: DEFAULT_MAIN, creation: ESP8266_CREATION };
  const text = new TextDecoder().decode(bytes.subarray(resource.offset, resource.offset + resource.size));
  const { main, ...creation } = creationFile.parse(JSON.parse(text));
  return { archive, main, creation };
}

function segmentLine(
  chip: Chip,
  slot: Slot,
  { fileOffset, loadAddress, length }: ImageInfo["segments"][number],
  index: number,
): string {
  const mapped = loadAddress === chip.image.dataAddress ? "map" : "load";
  const place = `paddr=${hexDigits(slot.offset + fileOffset, 8)} vaddr=${hexDigits(loadAddress, 8)}`;
  return `segment ${index}: ${place} size=${hexDigits(length, 5)}h (${String(length).padStart(6)}) ${mapped}`;
}

function revision(code: number): string {
  return `v${Math.floor(code / 100)}.${code % 100}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function hexDigits(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
