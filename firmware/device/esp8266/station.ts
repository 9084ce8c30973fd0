// `device/station` of the ESP8266: one thing at a time on the radio, which native/esp8266/broome-station.c drives.

import { LOST, SerialStation, type StationDriver } from "../sdk/serial-station.js";
import timer from "../sdk/timer.js";
import { esp8266Raw } from "../sdk/wifi-reasons.js";
import type { Station } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

type NativeListener = (kind: number, bytes?: ArrayBuffer) => void;

function listen(this: unknown, listener: NativeListener): void {
  native("xs_broome_station_listen").call(this, listener);
}

function join(
  this: unknown,
  ssid: Uint8Array,
  password: string,
  bssid: Uint8Array | undefined,
  channel: number,
): boolean {
  return native("xs_broome_station_join").call(this, ssid, password, bssid, channel) as boolean;
}

const driver: StationDriver = {
  listen: (listener) =>
    listen((kind, bytes) => listener(kind, kind === LOST ? rawOf(new Uint8Array(bytes!)) : bytes)),
  scan() {
    return native("xs_broome_station_scan").call(this) as boolean;
  },
  join: ({ ssid, password, bssid, channel }) => join(ssid, password, bssid, channel ?? 0),
  leave() {
    return native("xs_broome_station_leave").call(this) as boolean;
  },
  setHostName(name) {
    native("xs_broome_station_host_name").call(this, name);
  },
  rssi() {
    return native("xs_broome_station_rssi").call(this) as number | undefined;
  },
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
  setHostName: (name) => own().setHostName(name),
  rssi: () => own().rssi(),
  reason: (raw) => own().reason(raw),
};

export default station;
