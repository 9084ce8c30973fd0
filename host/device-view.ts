// A device as the API and the page show it: the stored row, and what only the running server knows.

import type { Presence } from "./presence.js";
import type { Device } from "./store/store.js";
import type { SyncService } from "./sync.js";

export interface DeviceView extends Device {
  online: boolean;
  /** Two boards may have this key, or somebody replays its messages. */
  suspect: boolean;
}

export function deviceView(device: Device, presence: Presence, syncs: SyncService): DeviceView {
  return {
    ...device,
    online: presence.isOnline(device.deviceid),
    suspect: syncs.isSuspect(device.deviceid),
  };
}
