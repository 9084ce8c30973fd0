// Does a board boot ota_0 already? Then a blank otadata, which says the same, need not be written.

import { chooseSlot, OTADATA_SIZE, parseOtaEntry } from "../../firmware/format/otadata.js";
import type { Chip } from "../chips/chip.js";
import type { Region } from "./regions.js";

const SECTOR_SIZE = 4096;
const ENTRY_SIZE = 32; // bytes that matter of each sector
const SLOTS = 2;

/**
 * True when `region` is a blank otadata and what lies there selects ota_0 for good: not on trial, not about to change.
 * `read` reads flash.
 */
export async function selectsFirstSlot(
  chip: Chip,
  region: Region,
  read: (offset: number, size: number) => Promise<Uint8Array>,
): Promise<boolean> {
  const { offset, data } = region;
  if (offset !== chip.layout.otadata.offset || data.length !== OTADATA_SIZE) return false;
  if (!data.every((byte) => byte === 0xff)) return false;
  const first = parseOtaEntry(await read(offset, ENTRY_SIZE));
  const second = parseOtaEntry(await read(offset + SECTOR_SIZE, ENTRY_SIZE));
  const { slot, changed } = chooseSlot([first, second], SLOTS);
  return slot === 0 && !changed.some(Boolean);
}
