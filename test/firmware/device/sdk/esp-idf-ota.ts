// app_update as ESP-IDF v6.0 has it (components/app_update/esp_ota_ops.c, CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE, two slots, no
// factory app), over the two entries of otadata: what the boards' C calls, for tests of what is built on it.

import type { OtaDriver, Which } from "../../../../firmware/device/sdk/ota-slots.js";
import {
  activeEntry,
  chooseSlot,
  encodeOtaEntry,
  OTA_INVALID,
  OTA_NEW,
  OTA_VALID,
  parseOtaEntry,
  slotOf,
  type OtaEntries,
  type OtaEntry,
} from "../../../../firmware/format/otadata.js";

const BLANK = new Uint8Array(32).fill(0xff);
const [FAIL, VALIDATE_FAILED, ROLLBACK_FAILED] = [-1, 0x1503, 0x1505];

export class EspIdfOta implements OtaDriver {
  running = 0;
  readonly entries: [Uint8Array, Uint8Array] = [BLANK, BLANK];
  /** Slots that hold no image that would verify. */
  readonly corrupt = new Set<number>();

  label(which: Which): string {
    return `ota_${this.slot(which)}`;
  }

  size(): number {
    return 0x1e0000;
  }

  /** esp_ota_get_state_partition: the first entry that names the slot. */
  state(which: Which): number | undefined {
    return this.parsed().find((entry) => entry.crcGood && slotOf(entry, 2) === this.slot(which))?.state;
  }

  /** esp_ota_get_boot_partition, and that an entry is behind it. */
  runningIsSelected(): boolean {
    const active = activeEntry(this.parsed());
    return active !== undefined && slotOf(this.parsed()[active], 2) === this.running;
  }

  /** esp_ota_set_boot_partition and esp_rewrite_ota_data. */
  select(which: Which): number {
    const slot = this.slot(which);
    if (this.corrupt.has(slot)) return VALIDATE_FAILED;
    const active = activeEntry(this.parsed());
    if (active === undefined) return this.rewrite(0, slot + 1, OTA_NEW);
    const { sequence } = this.parsed()[active];
    if (slotOf(this.parsed()[active], 2) === slot) return this.rewrite(active, sequence, OTA_NEW);
    return this.rewrite(active ^ 1, nextSequence(sequence, slot), OTA_NEW);
  }

  eraseUnselected(): number {
    this.entries[activeEntry(this.parsed()) === 0 ? 1 : 0] = BLANK; // (~active) & 1, where -1 is "none"
    return 0;
  }

  markSelectedValid(): number {
    const active = activeEntry(this.parsed());
    return active === undefined ? FAIL : this.rewrite(active, this.parsed()[active].sequence, OTA_VALID);
  }

  markSelectedInvalid(): number {
    const active = activeEntry(this.parsed());
    if (active === undefined) return FAIL;
    const last = this.parsed()[(active ^ 1) as 0 | 1];
    const bootable = last.crcGood && last.sequence !== 0xffffffff && last.state <= OTA_VALID;
    if (!bootable || this.corrupt.has(slotOf(last, 2))) return ROLLBACK_FAILED;
    return this.rewrite(active, this.parsed()[active].sequence, OTA_INVALID);
  }

  /** What the bootloader does: a trial begins, or one that did not end is over. */
  boot(): void {
    const { slot, entries: after } = chooseSlot(this.parsed(), 2);
    [0, 1].forEach((i) => {
      const entry: OtaEntry | undefined = after[i];
      if (entry && entry.state !== this.parsed()[i as 0 | 1].state)
        this.rewrite(i, entry.sequence, entry.state);
    });
    this.running = this.corrupt.has(slot) ? slot ^ 1 : slot;
  }

  parsed(): OtaEntries {
    return [parseOtaEntry(this.entries[0]), parseOtaEntry(this.entries[1])];
  }

  private slot(which: Which): number {
    return which === "running" ? this.running : this.running ^ 1;
  }

  private rewrite(sector: number, sequence: number, state: number): number {
    this.entries[sector] = encodeOtaEntry(sequence, state);
    return 0;
  }
}

/** compute_ota_seq_for_target_slot. */
function nextSequence(current: number, slot: number): number {
  let sequence = (slot + 1) % 2;
  while (current > sequence) sequence += 2;
  return sequence;
}
