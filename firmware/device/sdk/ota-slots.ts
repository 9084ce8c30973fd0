// `device/slots` on ESP-IDF's app_update (esp_ota_ops.c, v6.0): what must be done in which order, and what it refuses.

import type { Slots, SlotState } from "../types.js";
import { fault } from "./fault.js";

export type Which = "running" | "other";

/** The chip's own C: one call of app_update each. Errors are ESP-IDF's, 0 for none. */
export interface OtaDriver {
  /** Label of the partition, or undefined where there is none: a board with one slot has no other. */
  label(which: Which): string | undefined;
  size(which: Which): number;
  /** esp_ota_img_states_t (esp_flash_partitions.h), or undefined where otadata has no entry for it. */
  state(which: Which): number | undefined;
  /** True where otadata has an entry for the running slot, and that is the one that the next start takes. */
  runningIsSelected(): boolean;
  /** esp_ota_set_boot_partition: verifies the image, then writes an entry in state NEW. */
  select(which: Which): number;
  /** esp_ota_invalidate_inactive_ota_data_slot: erases the entry that is not the selected one. */
  eraseUnselected(): number;
  /** esp_ota_mark_app_valid_cancel_rollback, of the selected entry. */
  markSelectedValid(): number;
  /** esp_ota_mark_app_invalid_rollback, of the selected entry; does not restart. */
  markSelectedInvalid(): number;
}

/** esp_ota_img_states_t. */
const STATES: readonly SlotState[] = ["new", "pending-verify", "valid", "invalid", "aborted"];
/** esp_ota_ops.h: ESP_ERR_OTA_BASE is 0x1500. */
const VALIDATE_FAILED = 0x1503;
const ROLLBACK_FAILED = 0x1505;

export class OtaSlots implements Slots {
  private readonly driver: OtaDriver;

  constructor(driver: OtaDriver) {
    this.driver = driver;
  }

  running(): { name: string; state: SlotState } {
    return { name: this.driver.label("running") ?? "factory", state: this.state("running") };
  }

  other(): { name: string; state: SlotState; size: number } | undefined {
    const name = this.driver.label("other");
    return name === undefined
      ? undefined
      : { name, state: this.state("other"), size: this.driver.size("other") };
  }

  /**
   * Where otadata does not name the running slot (a new board's is blank; or the selected image could not boot), it is made to
   * first: otherwise a later rollback would find nothing to go back to, and a boot after a power cut would go to what is about to
   * be overwritten.
   *
   * @throws `not-confirmed` during a trial, `slots-failed`
   */
  invalidateOther(): void {
    this.requireOther();
    if (this.state("running") === "pending-verify")
      throw fault("not-confirmed", "an update cannot begin while the running one is on trial");
    if (!this.driver.runningIsSelected()) {
      check("select the running slot", this.driver.select("running"));
      check("mark it valid", this.driver.markSelectedValid());
    }
    check("invalidate the other slot", this.driver.eraseUnselected());
  }

  /** @throws `image-corrupt`, `slots-failed` */
  selectOther(): void {
    this.requireOther();
    const error = this.driver.select("other");
    if (error === VALIDATE_FAILED) throw fault("image-corrupt", "the other slot holds no valid image");
    check("select the other slot", error);
  }

  /** @throws `not-aborted`, `image-corrupt`, `slots-failed` */
  rearmOther(): void {
    const state = this.state("other");
    if (state !== "aborted") throw fault("not-aborted", `the other slot is ${state}`);
    this.selectOther(); // ABORTED counts as no entry when the next one is chosen
  }

  /** @throws `not-selected`, `slots-failed` */
  markValid(): void {
    this.requireSelected();
    check("mark the running slot valid", this.driver.markSelectedValid());
  }

  /** @throws `not-selected`, `no-rollback` where the other slot could not boot, `slots-failed` */
  markInvalid(): void {
    this.requireSelected();
    const error = this.driver.markSelectedInvalid();
    if (error === ROLLBACK_FAILED) throw fault("no-rollback", "the other slot could not boot");
    check("mark the running slot invalid", error);
  }

  private state(which: Which): SlotState {
    const raw = this.driver.state(which);
    return raw === undefined ? "empty" : (STATES[raw] ?? "undefined");
  }

  private requireOther(): void {
    if (this.driver.label("other") === undefined)
      throw fault("ota-not-supported", "there is one slot: flash a partition table with two");
  }

  /** app_update marks the selected entry, whatever runs. */
  private requireSelected(): void {
    if (!this.driver.runningIsSelected())
      throw fault("not-selected", "the running slot is not the one that otadata names");
  }
}

function check(what: string, error: number): void {
  if (error !== 0) throw fault("slots-failed", `could not ${what}: ESP-IDF error 0x${error.toString(16)}`);
}
