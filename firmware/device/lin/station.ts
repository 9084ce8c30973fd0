// `device/station` of a Linux process: the host's own network, open, and always there under the name "lin".

import timer from "../sdk/timer.js";
import { CHANNEL_AT, RECORD_SIZE, ScanRecords } from "../sdk/scan-record.js";
import { reasonOf } from "../sdk/wifi-reasons.js";
import type { JoinEvents, Station } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

/** wifi_err_reason_t, NO_AP_FOUND: what the chips report for a network that is not there. */
const NO_AP_FOUND = 201;
const NAME = [0x6c, 0x69, 0x6e]; // "lin"
const RSSI = -40; // dBm

/** What is under way; on the global object, because a preloaded module is read-only. */
interface Radio {
  joining: JoinEvents | undefined;
  online: boolean;
}

function radio(): Radio {
  const holder = globalThis as { linRadio?: Radio };
  return (holder.linRadio ??= { joining: undefined, online: false });
}

function isHost(ssid: Uint8Array): boolean {
  return ssid.length === NAME.length && NAME.every((byte, i) => ssid[i] === byte);
}

/** The host's network as a chip would tell it: open, channel 1. */
function hostRecord(): Uint8Array {
  const record = new Uint8Array(RECORD_SIZE);
  record.set([NAME.length, ...NAME]);
  record.set([1, RSSI & 255], CHANNEL_AT);
  return record;
}

function connect(events: JoinEvents): void {
  if (radio().joining !== events) return; // left, or joined elsewhere
  events.associated();
  const found = native("xs_broome_host_address").call(undefined) as [string, string] | undefined;
  if (radio().joining !== events) return;
  if (!found) return; // associated, and waiting for an address, as in a network without DHCP
  radio().online = true;
  events.address({ address: found[0], mask: found[1], gateway: found[0], dns: [] });
}

function lose(events: JoinEvents, raw: number): void {
  if (radio().joining !== events) return;
  leave();
  events.lost(raw);
}

function leave(): void {
  radio().joining = undefined;
  radio().online = false;
}

const station: Station = {
  scan(done) {
    timer.set(() => done(new ScanRecords(hostRecord())), 0);
  },
  join(target, events) {
    leave();
    radio().joining = events;
    timer.set(() => (isHost(target.ssid) ? connect(events) : lose(events, NO_AP_FOUND)), 0);
  },
  leave,
  setHostName: () => undefined, // the host has a name of its own
  rssi: () => (radio().online ? RSSI : undefined),
  reason: reasonOf,
};

export default station;
