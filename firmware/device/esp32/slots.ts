// `device/slots` of the ESP32: ESP-IDF's app_update (native/esp32/broome-slots.c), in the order of sdk/ota-slots.ts.

import { OtaSlots, type OtaDriver } from "../sdk/ota-slots.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const driver: OtaDriver = {
  label: (which) => native("xs_broome_slot_label").call(undefined, which === "other") as string | undefined,
  size: (which) => native("xs_broome_slot_size").call(undefined, which === "other") as number,
  state: (which) => native("xs_broome_slot_state").call(undefined, which === "other") as number | undefined,
  runningIsSelected: () => native("xs_broome_slot_selected").call(undefined) as boolean,
  select: (which) => native("xs_broome_slot_select").call(undefined, which === "other") as number,
  eraseUnselected: () => native("xs_broome_slot_erase_unselected").call(undefined) as number,
  markSelectedValid: () => native("xs_broome_slot_mark_valid").call(undefined) as number,
  markSelectedInvalid: () => native("xs_broome_slot_mark_invalid").call(undefined) as number,
};

export default new OtaSlots(driver);
