// `device/station` of the virtual platform: the simulated radio. Reasons are those of ESP-IDF's wifi_err_reason_t.

import type { JoinEvents, ScanEntry, Station } from "../types.js";
import { bytesOf, call, listen, type BusValue } from "./bus.js";

/** esp_wifi_types.h, wifi_err_reason_t -> the vocabulary of reasons. */
const REASONS: readonly (readonly [number, string])[] = [
  [2, "wrong-password"], // AUTH_EXPIRE: what many access points answer to a wrong password
  [14, "wrong-password"], // MIC_FAILURE
  [15, "wrong-password"], // 4WAY_HANDSHAKE_TIMEOUT
  [200, "timeout"], // BEACON_TIMEOUT
  [201, "not-found"], // NO_AP_FOUND
  [202, "wrong-password"], // AUTH_FAIL
  [203, "timeout"], // ASSOC_FAIL
  [204, "wrong-password"], // HANDSHAKE_TIMEOUT
  [205, "timeout"], // CONNECTION_FAIL
];

interface RadioGlobal {
  radio?: { scanned?: (found: ScanEntry[] | undefined) => void; events?: JoinEvents };
}

/** Who waits for the radio; on the global object, because a preloaded module is read-only. */
function radio() {
  const holder = globalThis as RadioGlobal;
  if (!holder.radio) {
    holder.radio = {};
    listen("station", undefined, onEvent);
  }
  return holder.radio;
}

function onEvent(event: string, first: BusValue, second: BusValue, third: BusValue, fourth: BusValue): void {
  const waiting = radio();
  const events = waiting.events;
  if (event === "scanned") {
    const done = waiting.scanned;
    waiting.scanned = undefined;
    done?.(first ? (first as readonly BusValue[][]).map(scanEntry) : undefined);
  } else if (event === "associated") events?.associated();
  else if (event === "address") {
    const dns = fourth as readonly string[];
    events?.address({
      address: first as string,
      mask: second as string,
      gateway: third as string,
      dns: [...dns],
    });
  } else if (event === "lost") {
    waiting.events = undefined;
    events?.lost(first as number);
  }
}

function scanEntry([ssid, bssid, channel, rssi, security]: readonly BusValue[]): ScanEntry {
  return {
    ssid: bytesOf(ssid),
    bssid: bytesOf(bssid),
    channel: channel as number,
    rssi: rssi as number,
    security: security as ScanEntry["security"],
  };
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
  rssi() {
    return (call("station.rssi") ?? undefined) as number | undefined;
  },
  reason(raw) {
    return REASONS.find(([code]) => code === raw)?.[1] ?? "not-found";
  },
};

export default station;
