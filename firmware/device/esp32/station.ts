// `device/station` of the ESP32: one thing at a time on the radio, which native/esp32/broome-station.c drives.

import { LOST, SerialStation, type StationDriver } from "../sdk/serial-station.js";
import timer from "../sdk/timer.js";
import type { Station } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const driver: StationDriver = {
  listen(listener) {
    native("xs_broome_station_listen").call(undefined, (kind: number, bytes?: ArrayBuffer) =>
      listener(kind, kind === LOST ? new Uint8Array(bytes!)[0] : bytes),
    );
  },
  scan: () => native("xs_broome_station_scan").call(undefined) as boolean,
  join: ({ ssid, password, bssid, channel }) =>
    native("xs_broome_station_join").call(undefined, ssid, password, bssid, channel ?? 0) as boolean,
  leave: () => native("xs_broome_station_leave").call(undefined) as boolean,
  rssi: () => native("xs_broome_station_rssi").call(undefined) as number | undefined,
};

/** On the global object, because a preloaded module is read-only. */
function own(): SerialStation {
  const holder = globalThis as { broomeStation?: SerialStation };
  return (holder.broomeStation ??= new SerialStation(driver, timer));
}

const station: Station = {
  scan: (done) => own().scan(done),
  join: (target, events) => own().join(target, events),
  leave: () => own().leave(),
  rssi: () => own().rssi(),
  reason: (raw) => own().reason(raw),
};

export default station;
