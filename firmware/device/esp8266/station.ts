// `device/station` of the ESP8266: one thing at a time on the radio, which native/esp8266/broome-station.c drives.

import { LOST, SerialStation, type StationDriver } from "../sdk/serial-station.js";
import timer from "../sdk/timer.js";
import { esp8266Raw } from "../sdk/wifi-reasons.js";
import type { Station } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const driver: StationDriver = {
  listen(listener) {
    native("xs_broome_station_listen").call(undefined, (kind: number, bytes?: ArrayBuffer) =>
      listener(kind, kind === LOST ? rawOf(new Uint8Array(bytes!)) : bytes),
    );
  },
  scan: () => native("xs_broome_station_scan").call(undefined) as boolean,
  join: ({ ssid, password, bssid, channel }) =>
    native("xs_broome_station_join").call(undefined, ssid, password, bssid, channel ?? 0) as boolean,
  leave: () => native("xs_broome_station_leave").call(undefined) as boolean,
  rssi: () => native("xs_broome_station_rssi").call(undefined) as number | undefined,
};

/** The disconnect event's reason, and the connect status at that time. */
function rawOf(lost: Uint8Array): number {
  return esp8266Raw(lost[0]!, lost[1]!);
}

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
