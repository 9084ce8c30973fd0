// What the mask ROM prints at a reset: who it is, why it starts, and what it loads where a bootloader of the vendor's lies in flash.

import { parseImage, type ImageInfo, type Read } from "../../firmware/format/image.js";
import type { Chip } from "../chips/chip.js";
import type { NorFlash } from "./flash.js";

const FLASH_MODES = ["QIO", "QOUT", "DIO", "DOUT", "FAST_READ", "SLOW_READ"];
/** Of the flash's clock, by the header's code for its frequency. */
const CLOCK_DIVIDERS: Readonly<Record<number, number>> = { 0xf: 1, 0: 2, 1: 3, 2: 4 };
const CHECKSUM_SEED = 0xef;
const BLOCK = 16; // bytes that a ROM reads at a time

/** The first lines, up to the mode in which it starts. */
export function startLines({ start }: Chip, cause: string, download: boolean): string[] {
  const why = start.resetCauses[cause] ?? start.resetCauses["power-on"]!;
  const mode = download ? start.bootDownload : start.bootFromFlash;
  return start.lines.map((line) => fill(line, { cause: why, mode }));
}

/** The lines of loading; none where flash holds no bootloader, as on a virtual board that nobody gave one. */
export function loadLines({ start, layout }: Chip, flash: NorFlash): string[] {
  const { offset, size } = layout.bootloader;
  const read: Read = (at, length) => flash.read(offset + at, length);
  const image = imageOf(read, size);
  if (image === undefined) return [];
  const { before, segment, after } = start.loading;
  const head = {
    flashMode: FLASH_MODES[image.flashMode] ?? String(image.flashMode),
    divider: String(CLOCK_DIVIDERS[image.flashFrequency] ?? 1),
    entry: hex(image.entry, 8),
    sum: hex(image.checksum, 1),
  };
  const lines = before.map((line) => fill(line, head));
  let sum = CHECKSUM_SEED;
  image.segments.forEach(({ fileOffset, loadAddress, length }, index) => {
    for (let at = 0; at < length; at += 1024)
      for (const byte of read(fileOffset + at, Math.min(1024, length - at))) sum ^= byte;
    const room = index === 0 ? BLOCK : (BLOCK - (fileOffset % BLOCK)) % BLOCK;
    const facts = {
      ...{ address: hex(loadAddress, 8), length: String(length), lengthHex: hex(length, 1) },
      ...{ room: String(room), tail: String((length + BLOCK - room) % BLOCK), sum: hex(sum, 1) },
    };
    lines.push(...segment.map((line) => fill(line, facts)));
  });
  return [...lines, ...after.map((line) => fill(line, head))];
}

/** Undefined where there is none. */
function imageOf(read: Read, size: number): ImageInfo | undefined {
  try {
    return parseImage(read, size);
  } catch {
    return undefined;
  }
}

function fill(line: string, facts: Readonly<Record<string, string>>): string {
  return line.replace(/\{(\w+)\}/g, (all, name: string) => facts[name] ?? all);
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
