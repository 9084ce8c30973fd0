// The app slots as the program sees them: ESP-IDF's app_update over otadata in flash (esp_ota_ops.c).

import {
  activeEntry,
  encodeOtaEntry,
  OTA_ABORTED,
  OTA_INVALID,
  OTA_NEW,
  OTA_PENDING_VERIFY,
  OTA_VALID,
  OTADATA_ENTRY_SIZE,
  parseOtaEntry,
  selectSlot,
  slotOf,
  type OtaEntries,
} from "../../firmware/format/otadata.js";
import type { Region } from "../chips/chip.js";
import { BusError, type Value } from "../engine/engine.js";
import { SECTOR_SIZE, type NorFlash } from "./flash.js";

const stateNames: Readonly<Record<number, string>> = {
  [OTA_NEW]: "new",
  [OTA_PENDING_VERIFY]: "pending-verify",
  [OTA_VALID]: "valid",
  [OTA_INVALID]: "invalid",
  [OTA_ABORTED]: "aborted",
};

export interface Slot extends Region {
  readonly label: string;
}

export interface SlotOptions {
  flash: NorFlash;
  /** Undefined on a board that cannot update itself. */
  otadata: Region | undefined;
  slots: readonly Slot[];
  /** Index of the slot that runs. */
  running: number;
  /** Throws FormatError where the slot holds no image that this board would boot. */
  verify(slot: Slot): void;
}

/** Reads both entries of otadata. */
export function readOtaEntries(flash: NorFlash, otadata: Region): OtaEntries {
  const entry = (sector: 0 | 1) =>
    parseOtaEntry(flash.read(otadata.offset + sector * SECTOR_SIZE, OTADATA_ENTRY_SIZE));
  return [entry(0), entry(1)];
}

/** Rewrites one entry as ESP-IDF does: erase, then program. A power cut between the two loses the entry. */
export function writeOtaEntry(
  flash: NorFlash,
  otadata: Region,
  sector: number,
  sequence: number,
  state: number,
): void {
  flash.erase(otadata.offset + sector * SECTOR_SIZE);
  flash.program(otadata.offset + sector * SECTOR_SIZE, encodeOtaEntry(sequence, state));
}

export class SlotControl {
  private readonly options: SlotOptions;

  constructor(options: SlotOptions) {
    this.options = options;
  }

  /** Name and state. */
  running(): Value[] {
    return [this.slot(this.options.running).label, this.state(this.options.running)];
  }

  /** Name, state and size, or undefined on a board with one slot. */
  other(): Value[] | undefined {
    const index = this.otherIndex();
    if (index === undefined) return undefined;
    const { label, size } = this.slot(index);
    return [label, this.state(index), size];
  }

  /**
   * First step of an update. Where the running slot came up only because the selected one could not, it is selected first:
   * otherwise the boot after a power cut would go to what is about to be overwritten.
   *
   * @throws BusError `not-confirmed` during a trial
   */
  invalidateOther(): void {
    const { flash, running, slots } = this.options;
    const otadata = this.requireOtadata();
    if (this.state(running) === "pending-verify")
      throw new BusError("not-confirmed", "an update cannot begin while the running one is on trial");
    let entries = this.entries();
    let active = activeEntry(entries);
    if (active === undefined || slotOf(entries[active], slots.length) !== running) {
      const { sector, sequence } = selectSlot(entries, running, slots.length);
      writeOtaEntry(flash, otadata, sector, sequence, OTA_VALID);
      entries = this.entries();
      active = activeEntry(entries);
    }
    flash.erase(otadata.offset + (active === 0 ? 1 : 0) * SECTOR_SIZE);
  }

  /** Last step of an update. @throws BusError `image-corrupt` */
  selectOther(): void {
    const index = this.requireOther();
    this.verify(index);
    const { flash, slots } = this.options;
    const { sector, sequence } = selectSlot(this.entries(), index, slots.length);
    writeOtaEntry(flash, this.requireOtadata(), sector, sequence, OTA_NEW);
  }

  /** As selectOther, for a trial that ended in a power cut. @throws BusError `not-aborted`, `image-corrupt` */
  rearmOther(): void {
    const state = this.state(this.requireOther());
    if (state !== "aborted") throw new BusError("not-aborted", `the other slot is ${state}`);
    this.selectOther();
  }

  markValid(): void {
    this.mark(OTA_VALID);
  }

  /** @throws BusError `no-rollback` where the other slot could not boot */
  markInvalid(): void {
    const other = this.requireOther();
    try {
      this.options.verify(this.slot(other));
    } catch (error) {
      throw new BusError("no-rollback", error instanceof Error ? error.message : String(error));
    }
    this.mark(OTA_INVALID);
  }

  private mark(state: number): void {
    const { flash, running, slots } = this.options;
    const otadata = this.requireOtadata();
    const entries = this.entries();
    const active = activeEntry(entries);
    if (active === undefined || slotOf(entries[active], slots.length) !== running)
      throw new BusError("not-selected", "the running slot is not the one that otadata names");
    if (entries[active].state === state) return;
    writeOtaEntry(flash, otadata, active, entries[active].sequence, state);
  }

  private verify(index: number): void {
    try {
      this.options.verify(this.slot(index));
    } catch (error) {
      throw new BusError("image-corrupt", error instanceof Error ? error.message : String(error));
    }
  }

  /** State of the entry that names the slot, "empty" where none does. */
  private state(index: number): string {
    const { slots, otadata } = this.options;
    if (otadata === undefined) return "empty";
    const named = this.entries().filter(
      (entry) => entry.crcGood && entry.sequence !== 0xffffffff && slotOf(entry, slots.length) === index,
    );
    const entry = named.sort((a, b) => b.sequence - a.sequence)[0];
    return entry === undefined ? "empty" : (stateNames[entry.state] ?? "undefined");
  }

  private entries(): OtaEntries {
    return readOtaEntries(this.options.flash, this.requireOtadata());
  }

  private slot(index: number): Slot {
    return this.options.slots[index]!;
  }

  private otherIndex(): number | undefined {
    const { slots, running, otadata } = this.options;
    return otadata === undefined || slots.length < 2 ? undefined : (running + 1) % slots.length;
  }

  private requireOther(): number {
    const index = this.otherIndex();
    if (index === undefined) throw notSupported();
    return index;
  }

  private requireOtadata(): Region {
    const { otadata } = this.options;
    if (otadata === undefined) throw notSupported();
    return otadata;
  }
}

function notSupported(): BusError {
  return new BusError("ota-not-supported", "flash has no second app slot, or no otadata");
}
