// Slots over otadata: what an update does to it step by step, and where each boot goes then.

import test from "ava";
import {
  chooseSlot,
  encodeOtaEntry,
  OTA_ABORTED,
  OTA_NEW,
  OTA_PENDING_VERIFY,
  OTA_VALID,
} from "../../../firmware/format/otadata.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { readOtaEntries, SlotControl, writeOtaEntry } from "../../../tools/simulator/slots.js";

const otadata = { offset: 0, size: 0x2000 };
const slots = [
  { label: "ota_0", offset: 0x10000, size: 0x8000 },
  { label: "ota_1", offset: 0x18000, size: 0x8000 },
];

function rig(entries: (Uint8Array | undefined)[], running: number, corrupt: string[] = []) {
  const flash = NorFlash.open({ size: 0x20000 });
  entries.forEach((entry, sector) => entry && flash.program(sector * 4096, entry));
  const control = new SlotControl({
    ...{ flash, otadata, slots, running },
    verify(slot) {
      if (corrupt.includes(slot.label)) throw new Error("Image hash failed - image is corrupt");
    },
  });
  const nextBoot = () => chooseSlot(readOtaEntries(flash, otadata), 2).slot;
  return { flash, control, nextBoot };
}

const one = encodeOtaEntry(1, OTA_VALID);

test("an update: invalidate, select, trial, confirm", (t) => {
  const { flash, control, nextBoot } = rig([one], 0);
  t.deepEqual(control.running(), ["ota_0", "valid"]);
  t.deepEqual(control.other(), ["ota_1", "empty", 0x8000]);
  control.invalidateOther();
  t.is(nextBoot(), 0);
  control.selectOther();
  t.deepEqual(control.other(), ["ota_1", "new", 0x8000]);
  t.is(nextBoot(), 1);

  writeOtaEntry(flash, otadata, 1, 2, OTA_PENDING_VERIFY); // what the bootloader does
  const after = new SlotControl({ flash, otadata, slots, running: 1, verify: () => undefined });
  t.deepEqual(after.running(), ["ota_1", "pending-verify"]);
  t.throws(() => after.invalidateOther(), { code: "not-confirmed" });
  after.markValid();
  t.deepEqual(after.running(), ["ota_1", "valid"]);
  t.is(nextBoot(), 1);
});

test("a trial that is marked invalid goes back", (t) => {
  const { control, nextBoot } = rig([one, encodeOtaEntry(2, OTA_PENDING_VERIFY)], 1);
  control.markInvalid();
  t.deepEqual(control.running(), ["ota_1", "invalid"]);
  t.is(nextBoot(), 0);
});

test("there is no going back to an image that cannot boot", (t) => {
  const { control, nextBoot } = rig([one, encodeOtaEntry(2, OTA_VALID)], 1, ["ota_0"]);
  t.throws(() => control.markInvalid(), { code: "no-rollback", message: /image is corrupt/ });
  t.is(nextBoot(), 1);
});

test("a corrupt image is not selected", (t) => {
  const { control, nextBoot } = rig([one], 0, ["ota_1"]);
  t.throws(() => control.selectOther(), { code: "image-corrupt" });
  t.is(nextBoot(), 0);
});

test("an aborted trial is armed again, anything else is not", (t) => {
  const { control, nextBoot } = rig([one, encodeOtaEntry(2, OTA_ABORTED)], 0);
  t.deepEqual(control.other(), ["ota_1", "aborted", 0x8000]);
  t.is(nextBoot(), 0);
  control.rearmOther();
  t.deepEqual(control.other(), ["ota_1", "new", 0x8000]);
  t.is(nextBoot(), 1);
  t.throws(() => control.rearmOther(), { code: "not-aborted" });
});

test("when the selected slot could not boot, an update into it leaves the running one selected", (t) => {
  const { control, nextBoot } = rig([encodeOtaEntry(3, OTA_VALID), encodeOtaEntry(2, OTA_VALID)], 1, [
    "ota_0",
  ]);
  t.is(nextBoot(), 0);
  control.invalidateOther();
  t.is(nextBoot(), 1);
  t.deepEqual(control.running(), ["ota_1", "valid"]);
  t.deepEqual(control.other(), ["ota_0", "empty", 0x8000]);
});

test("twenty updates in a row alternate, and each sequence is higher than the last", (t) => {
  const flash = NorFlash.open({ size: 0x20000 });
  flash.program(0, one);
  let running = 0;
  for (let i = 0; i < 20; i += 1) {
    const control = new SlotControl({ flash, otadata, slots, running, verify: () => undefined });
    control.invalidateOther();
    control.selectOther();
    const { slot } = chooseSlot(readOtaEntries(flash, otadata), 2);
    t.is(slot, 1 - running);
    running = slot;
    new SlotControl({ flash, otadata, slots, running, verify: () => undefined }).markValid();
  }
  const sequences = readOtaEntries(flash, otadata).map(({ sequence }) => sequence);
  t.is(Math.max(...sequences), 21);
});

test("a power cut at any operation of an update never leaves a board without a slot to boot", (t) => {
  for (let cut = 1; ; cut += 1) {
    const { flash, control, nextBoot } = rig([one], 0);
    flash.cutAfter(cut, cut);
    let finished = false;
    try {
      control.invalidateOther();
      control.selectOther();
      finished = true;
    } catch (error) {
      t.is((error as { code: string }).code, "power-cut");
    }
    flash.cutAfter(undefined);
    if (finished) return t.is(cut, 4); // two erases, a program: three operations
    t.is(nextBoot(), 0, `cut ${cut}`);
  }
});

test("without otadata or a second slot there are no updates", (t) => {
  const flash = NorFlash.open({ size: 0x20000 });
  const control = new SlotControl({ flash, otadata: undefined, slots, running: 0, verify: () => undefined });
  t.deepEqual(control.running(), ["ota_0", "empty"]);
  t.is(control.other(), undefined);
  t.throws(() => control.selectOther(), { code: "ota-not-supported" });
});

test("NEW and UNDEFINED have names", (t) => {
  t.deepEqual(rig([encodeOtaEntry(1, OTA_NEW)], 0).control.running(), ["ota_0", "new"]);
  t.deepEqual(rig([encodeOtaEntry(1, 0xffffffff)], 0).control.running(), ["ota_0", "undefined"]);
});
