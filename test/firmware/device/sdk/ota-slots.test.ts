// The order of an update on ESP-IDF's app_update, and what is refused: each step as far as the next start.

import test from "ava";
import { OtaSlots } from "../../../../firmware/device/sdk/ota-slots.js";
import { encodeOtaEntry, OTA_ABORTED, OTA_VALID } from "../../../../firmware/format/otadata.js";
import { EspIdfOta } from "./esp-idf-ota.js";

function rig() {
  const idf = new EspIdfOta();
  return { idf, slots: new OtaSlots(idf) };
}

test("the first update of a new board, whose otadata is blank, can be taken back", (t) => {
  const { idf, slots } = rig();
  t.deepEqual(slots.running(), { name: "ota_0", state: "empty" });
  slots.invalidateOther(); // names the running slot, or there would be nothing to go back to
  t.deepEqual(slots.running(), { name: "ota_0", state: "valid" });
  t.deepEqual(slots.other(), { name: "ota_1", state: "empty", size: 0x1e0000 });
  slots.selectOther();
  t.is(slots.other()!.state, "new");
  idf.boot();
  t.deepEqual(slots.running(), { name: "ota_1", state: "pending-verify" });
  slots.markInvalid();
  idf.boot();
  t.deepEqual(slots.running(), { name: "ota_0", state: "valid" });
  t.is(slots.other()!.state, "invalid");
});

test("updates go to and fro, each confirmed", (t) => {
  const { idf, slots } = rig();
  for (let i = 1; i <= 6; i += 1) {
    slots.invalidateOther();
    const before = idf.running;
    idf.boot(); // a power cut in the download
    t.is(idf.running, before);
    slots.selectOther();
    idf.boot();
    t.is(idf.running, i % 2);
    slots.markValid();
    idf.boot();
    t.deepEqual(slots.running(), { name: `ota_${i % 2}`, state: "valid" });
  }
});

test("a trial that a reset ended is aborted, and can be begun again without a download", (t) => {
  const { idf, slots } = rig();
  slots.invalidateOther();
  slots.selectOther();
  idf.boot();
  t.throws(() => slots.invalidateOther(), { code: "not-confirmed" });
  idf.boot();
  t.deepEqual([slots.running().name, slots.other()!.state], ["ota_0", "aborted"]);
  slots.rearmOther();
  idf.boot();
  t.deepEqual(slots.running(), { name: "ota_1", state: "pending-verify" });
  t.throws(() => slots.rearmOther(), { code: "not-aborted" });
});

test("where the selected image could not boot, the running slot is selected before anything is erased", (t) => {
  const { idf, slots } = rig();
  idf.entries[0] = encodeOtaEntry(1, OTA_VALID);
  idf.entries[1] = encodeOtaEntry(2, OTA_VALID);
  idf.corrupt.add(1);
  idf.boot();
  t.is(slots.running().name, "ota_0");
  t.throws(() => slots.markValid(), { code: "not-selected" });
  slots.invalidateOther();
  idf.corrupt.clear(); // half of the new image is there, and happens to look whole
  idf.boot();
  t.is(slots.running().name, "ota_0");
});

test("a corrupt image is not selected, and nothing changes", (t) => {
  const { idf, slots } = rig();
  slots.invalidateOther();
  idf.corrupt.add(1);
  t.throws(() => slots.selectOther(), { code: "image-corrupt" });
  idf.boot();
  t.is(slots.running().name, "ota_0");
});

test("a trial with nothing behind it is not given up", (t) => {
  const { idf, slots } = rig();
  slots.invalidateOther();
  slots.selectOther();
  idf.boot();
  idf.entries[0] = encodeOtaEntry(1, OTA_ABORTED);
  t.throws(() => slots.markInvalid(), { code: "no-rollback" });
  t.is(slots.running().state, "pending-verify");
});

test("a board with one slot has no other, and says so", (t) => {
  const idf = new EspIdfOta();
  const alone = new OtaSlots(
    Object.assign(Object.create(idf) as EspIdfOta, {
      label: (which: string) => (which === "running" ? "factory" : undefined),
    }),
  );
  t.is(alone.other(), undefined);
  t.throws(() => alone.invalidateOther(), { code: "ota-not-supported" });
  t.throws(() => alone.selectOther(), { code: "ota-not-supported" });
});

test("an error of ESP-IDF that has no meaning here is told with its number", (t) => {
  const { idf, slots } = rig();
  idf.eraseUnselected = () => 0x105;
  t.throws(() => slots.invalidateOther(), { code: "slots-failed", message: /0x105/ });
});
