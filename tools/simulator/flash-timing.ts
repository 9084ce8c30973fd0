// How long a flash chip and a bootloader take for what they are told, from the chip's data file: ms.

import type { FlashChip } from "../chips/flash-chip.js";
import { SECTOR_SIZE } from "./flash.js";

const BLOCK_SIZE = 0x10000; // of the flash's block erase
const PAGE_SIZE = 256;
const MEGABYTE = 0x100000;

/** Erasing whole sectors from `offset` up to `end`: by 64 KB where a block begins and all of it is meant, else by sector. */
export function eraseMs(chip: FlashChip, offset: number, end: number): number {
  let ms = 0;
  let at = offset;
  while (at < end) {
    const block = at % BLOCK_SIZE === 0 && at + BLOCK_SIZE <= end;
    ms += block ? chip.blockEraseMs : chip.sectorEraseMs;
    at += block ? BLOCK_SIZE : SECTOR_SIZE;
  }
  return ms;
}

/** Erasing everything with the one command for it. */
export function chipEraseMs(chip: FlashChip, size: number): number {
  return (chip.chipEraseMsPerMb * size) / MEGABYTE;
}

/** Programming the pages that the bytes touch. */
export function programMs(chip: FlashChip, offset: number, length: number): number {
  if (length === 0) return 0;
  const first = Math.floor(offset / PAGE_SIZE);
  const last = Math.floor((offset + length - 1) / PAGE_SIZE);
  return (last - first + 1) * chip.pageProgramMs;
}

/** Reading and hashing. */
export function md5Ms(msPerMb: number, length: number): number {
  return (msPerMb * length) / MEGABYTE;
}
