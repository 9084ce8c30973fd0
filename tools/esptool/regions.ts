// What is to lie where in flash, and how it is cut into sectors. Pure.

import { FlasherError } from "./error.js";

export const SECTOR_SIZE = 4096; // bytes

export interface Region {
  /** A multiple of 4096. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** As the user knows it: a file name. */
  readonly name: string;
}

/** Bytes `from` to `to` of a region, as a region. */
export function partOf(region: Region, from: number, to: number): Region {
  return { ...region, offset: region.offset + from, data: region.data.subarray(from, to) };
}

export function sizeOf(regions: readonly Region[]): number {
  return regions.reduce((sum, { data }) => sum + data.length, 0);
}

/** As erased flash is. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

/** "app.bin: 0x10000 to 0x11388" */
export function rangeText({ name, offset, data }: Region): string {
  return `${name}: ${hex(offset)} to ${hex(offset + data.length)}`;
}

/** Sectors are erased whole: no two regions may share one. @throws FlasherError `region-invalid` */
export function checkRegions(regions: readonly Region[]): void {
  const sorted = [...regions].sort((a, b) => a.offset - b.offset);
  sorted.forEach((region, index) => {
    const where = `${region.name} at ${hex(region.offset)}`;
    if (!Number.isInteger(region.offset) || region.offset < 0 || region.offset % SECTOR_SIZE !== 0)
      throw invalid(`${where} does not begin at a 4 KB sector`, "Give a multiple of 0x1000.");
    const next = sorted[index + 1];
    const end = Math.ceil((region.offset + region.data.length) / SECTOR_SIZE) * SECTOR_SIZE;
    if (next && end > next.offset)
      throw invalid(
        `${where} reaches into ${next.name} at ${hex(next.offset)}`,
        "Check the offsets: files must not share a 4 KB sector.",
      );
  });
}

/** @throws FlasherError `flash-too-small` */
export function checkSize(regions: readonly Region[], flashSize: number): void {
  for (const { name, offset, data } of regions) {
    if (offset + data.length <= flashSize) continue;
    const message = `${name} ends at ${hex(offset + data.length)}, the flash at ${hex(flashSize)} (${flashSize / 2 ** 20} MB)`;
    const help = "Use a board with more flash, or another partition table.";
    throw new FlasherError("flash-too-small", message, help);
  }
}

function invalid(message: string, help: string): FlasherError {
  return new FlasherError("region-invalid", message, help);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
