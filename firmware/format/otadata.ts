// otadata (ESP-IDF, esp_flash_partitions.h, bootloader_common_loader.c, bootloader_utility.c): two sectors that say which slot boots.

import { crc32 } from "./crc32.js";
import { FormatError } from "./error.js";

export const OTADATA_ENTRY_SIZE = 32;
export const OTADATA_SIZE = 0x2000; // two sectors, an entry at the start of each

/** esp_ota_img_states_t. */
export const OTA_NEW = 0;
export const OTA_PENDING_VERIFY = 1;
export const OTA_VALID = 2;
export const OTA_INVALID = 3;
export const OTA_ABORTED = 4;
export const OTA_UNDEFINED = 0xffffffff;

export interface OtaEntry {
  readonly sequence: number; // u32; FFFFFFFF = empty
  readonly state: number; // u32, one of the OTA_ constants
  readonly crcGood: boolean; // over the sequence alone: a change of state needs no new CRC
}

/** Both entries, in the order of their sectors. */
export type OtaEntries = readonly [OtaEntry, OtaEntry];

/** What a boot does: the slot it tries first, and the entry to be rewritten before, if any. */
export interface BootChoice {
  /** Index of the slot: 0 = ota_0. */
  readonly slot: number;
  /** Sector of the entry that decided, or undefined where none did. */
  readonly active: 0 | 1 | undefined;
  /** Neither sector ever held a good entry: the bootloader then writes {sequence slot + 1, VALID} to sector 0 once it loaded an image. */
  readonly initial: boolean;
  /** Entries as they are after the bootloader changed states; rewrite sector i where `changed[i]`. */
  readonly entries: OtaEntries;
  readonly changed: readonly [boolean, boolean];
}

/** The entry in the first 32 bytes of a sector. Throws `otadata-corrupt` for fewer bytes; anything else is an entry, good or bad. */
export function parseOtaEntry(bytes: Uint8Array): OtaEntry {
  if (bytes.length < OTADATA_ENTRY_SIZE)
    throw new FormatError(
      "otadata-corrupt",
      `${bytes.length} bytes are too few for an otadata entry`,
      "Read 32 bytes.",
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, OTADATA_ENTRY_SIZE);
  const sequence = view.getUint32(0, true);
  return {
    sequence,
    state: view.getUint32(24, true),
    crcGood: view.getUint32(28, true) === sequenceCrc(sequence),
  };
}

/** 32 bytes of a good entry; its label is left FF, as ESP-IDF does. */
export function encodeOtaEntry(sequence: number, state: number): Uint8Array {
  const bytes = new Uint8Array(OTADATA_ENTRY_SIZE).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sequence, true);
  view.setUint32(24, state, true);
  view.setUint32(28, sequenceCrc(sequence), true);
  return bytes;
}

/** The sector whose entry rules: good CRC, not invalid or aborted, the higher sequence, sector 0 where they are equal. */
export function activeEntry(entries: OtaEntries): 0 | 1 | undefined {
  const first = isBootable(entries[0]);
  const second = isBootable(entries[1]);
  if (first && second) return entries[1].sequence > entries[0].sequence ? 1 : 0;
  return first ? 0 : second ? 1 : undefined;
}

/** The slot that an entry names, of `slots` slots. */
export function slotOf(entry: OtaEntry, slots: number): number {
  return ((entry.sequence - 1) >>> 0) % slots; // u32, as in C: sequence 0 is 4294967295
}

/**
 * What ESP-IDF's bootloader does at a reset, built with rollback and without factory or test app: a trial that was not confirmed is
 * aborted, a new image goes on trial.
 */
export function chooseSlot(entries: OtaEntries, slots: number): BootChoice {
  const after: [OtaEntry, OtaEntry] = [entries[0], entries[1]];
  const changed: [boolean, boolean] = [false, false];
  for (const i of [0, 1] as const)
    if (entries[i].state === OTA_PENDING_VERIFY) {
      after[i] = { ...entries[i], state: OTA_ABORTED };
      changed[i] = true;
    }
  const active = activeEntry(after);
  if (active === undefined) {
    // "both invalid" goes to ota_0; a bad CRC "will try all partitions", which without a factory app begins with ota_0 too.
    const initial =
      isRuledOut(after[0]) && isRuledOut(after[1]) && !isWritten(after[0]) && !isWritten(after[1]);
    return { slot: 0, active, initial, entries: after, changed };
  }
  if (after[active].state === OTA_NEW) {
    after[active] = { ...after[active], state: OTA_PENDING_VERIFY };
    changed[active] = true;
  }
  return { slot: slotOf(after[active], slots), active, initial: false, entries: after, changed };
}

/** The order in which slots are tried: the chosen one, the ones before it downwards, then the ones behind it (bootloader_utility.c). */
export function bootOrder(slot: number, slots: number): number[] {
  const order: number[] = [];
  for (let i = slot; i >= 0; i--) order.push(i);
  for (let i = slot + 1; i < slots; i++) order.push(i);
  return order;
}

/** Where and with which sequence `slot` is selected for the next boot, as esp_ota_set_boot_partition does. */
export function selectSlot(
  entries: OtaEntries,
  slot: number,
  slots: number,
): { sector: 0 | 1; sequence: number } {
  const active = activeEntry(entries);
  if (active === undefined) return { sector: 0, sequence: slot + 1 };
  const current = entries[active].sequence;
  if (slotOf(entries[active], slots) === slot) return { sector: active, sequence: current };
  let sequence = (slot + 1) % slots;
  if (sequence < current) sequence += Math.ceil((current - sequence) / slots) * slots;
  return { sector: active === 0 ? 1 : 0, sequence };
}

function isBootable(entry: OtaEntry): boolean {
  return !isRuledOut(entry) && entry.crcGood;
}

/** bootloader_common_ota_select_invalid. */
function isRuledOut(entry: OtaEntry): boolean {
  return entry.sequence === 0xffffffff || entry.state === OTA_INVALID || entry.state === OTA_ABORTED;
}

function isWritten(entry: OtaEntry): boolean {
  return entry.sequence !== 0xffffffff && entry.crcGood;
}

function sequenceCrc(sequence: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, sequence, true);
  return crc32(bytes, 0xffffffff);
}
