// `device/slots` of the ESP32: ESP-IDF's app_update (native/esp32/broome-slots.c), in the order of sdk/ota-slots.ts.

import { OtaSlots, type OtaDriver } from "../sdk/ota-slots.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const driver: OtaDriver = {
  label(which) {
    return native("xs_broome_slot_label").call(this, which) as string | undefined;
  },
  size(which) {
    return native("xs_broome_slot_size").call(this, which) as number;
  },
  state(which) {
    return native("xs_broome_slot_state").call(this, which) as number | undefined;
  },
  runningIsSelected() {
    return native("xs_broome_slot_selected").call(this) as boolean;
  },
  select(which) {
    return native("xs_broome_slot_select").call(this, which) as number;
  },
  eraseUnselected() {
    return native("xs_broome_slot_erase_unselected").call(this) as number;
  },
  markSelectedValid() {
    return native("xs_broome_slot_mark_valid").call(this) as number;
  },
  markSelectedInvalid() {
    return native("xs_broome_slot_mark_invalid").call(this) as number;
  },
};

export default new OtaSlots(driver);
