// `device/station` of the virtual platform: the simulated radio, which has an ESP32's raw reasons.

import { ScanRecords } from "../sdk/scan-record.js";
import { reasonOf } from "../sdk/wifi-reasons.js";
import type { JoinEvents, ScanList, Station } from "../types.js";
import { bytesOf, call, listen, type BusValue } from "./bus.js";

interface Radio {
  scanned: ((found: ScanList | undefined) => void) | undefined;
  events: JoinEvents | undefined;
}

/** Who waits for the radio; on the global object, because a preloaded module is read-only. */
function radio(): Radio {
  const holder = globalThis as { busRadio?: Radio };
  if (!holder.busRadio) {
    holder.busRadio = { scanned: undefined, events: undefined };
    listen("station.scanned", scanned);
    listen("station.associated", associated);
    listen("station.address", addressed);
    listen("station.lost", lost);
  }
  return holder.busRadio;
}

function associated(bssid: BusValue, channel: BusValue): void {
  radio().events?.associated(bytesOf(bssid), channel as number);
}

function scanned(found: BusValue): void {
  const done = radio().scanned;
  radio().scanned = undefined;
  done?.(found ? new ScanRecords(bytesOf(found)) : undefined);
}

function addressed(address: BusValue, mask: BusValue, gateway: BusValue, dns: BusValue): void {
  radio().events?.address({
    address: address as string,
    mask: mask as string,
    gateway: gateway as string,
    dns: dns as string[],
  });
}

function lost(raw: BusValue): void {
  const { events } = radio();
  radio().events = undefined;
  events?.lost(raw as number);
}

const station: Station = {
  scan(done) {
    radio().scanned = done;
    call("station.scan");
  },
  join(target, events) {
    radio().events = events;
    call("station.join", target.ssid, target.password, target.bssid, target.channel);
  },
  leave() {
    radio().events = undefined;
    call("station.leave");
  },
  setHostName(name) {
    call("station.hostName", name);
  },
  rssi() {
    return (call("station.rssi") ?? undefined) as number | undefined;
  },
  reason: reasonOf,
};

export default station;
