// App slots of the ESP32: one call of app_update each (ESP-IDF v6.0, esp_ota_ops.h); what comes in which order is in
// firmware/device/sdk/ota-slots.ts. esp_ota_begin() is not used: it refuses during a trial, and keeps a write cursor; flash
// is written through the `flash` seam.
#include "app_update/include/esp_ota_ops.h"  // as the SDK says it: its path has no folder of app_update
#include "esp_partition.h"
#include "xsmc.h"
#include "xsHost.h"

// ("running" or "other"): its partition; NULL for the other one on a board with one slot.
static const esp_partition_t* partitionOf(xsMachine* the, xsSlot* which) {
  const esp_partition_t* running = esp_ota_get_running_partition();
  if (c_strcmp(xsmcToString(*which), "other") != 0) return running;
  const esp_partition_t* next = esp_ota_get_next_update_partition(NULL);
  return next == running ? NULL : next;
}

// (which): its label, undefined where there is none.
void xs_broome_slot_label(xsMachine* the) {
  const esp_partition_t* partition = partitionOf(the, &xsArg(0));
  if (partition) xsmcSetString(xsResult, (char*)partition->label);
}

// (which): bytes.
void xs_broome_slot_size(xsMachine* the) {
  const esp_partition_t* partition = partitionOf(the, &xsArg(0));
  xsmcSetInteger(xsResult, partition ? (xsIntegerValue)partition->size : 0);
}

// (which): esp_ota_img_states_t, undefined where otadata has no entry for it.
void xs_broome_slot_state(xsMachine* the) {
  esp_ota_img_states_t state;
  if (esp_ota_get_state_partition(partitionOf(the, &xsArg(0)), &state) != ESP_OK) return;
  xsmcSetInteger(xsResult, state == ESP_OTA_IMG_UNDEFINED ? -1 : (xsIntegerValue)state);
}

// True where otadata has an entry for the running slot, and the next start takes that.
void xs_broome_slot_selected(xsMachine* the) {
  const esp_partition_t* running = esp_ota_get_running_partition();
  esp_ota_img_states_t state;
  bool named = esp_ota_get_state_partition(running, &state) == ESP_OK;
  xsmcSetBoolean(xsResult, named && (esp_ota_get_boot_partition() == running));
}

// (which): 0, or the error.
void xs_broome_slot_select(xsMachine* the) {
  xsmcSetInteger(xsResult, esp_ota_set_boot_partition(partitionOf(the, &xsArg(0))));
}

void xs_broome_slot_erase_unselected(xsMachine* the) {
  xsmcSetInteger(xsResult, esp_ota_invalidate_inactive_ota_data_slot());
}

void xs_broome_slot_mark_valid(xsMachine* the) {
  xsmcSetInteger(xsResult, esp_ota_mark_app_valid_cancel_rollback());
}

void xs_broome_slot_mark_invalid(xsMachine* the) {
  xsmcSetInteger(xsResult, esp_ota_mark_app_invalid_rollback());
}
