// From a verified request to what the store takes: the server's own units and times, nothing the device could overstate.

import type { SyncRequest } from "../firmware/protocol/sync-message.js";
import type { Device, SyncInput } from "./store/store.js";

export interface Arrival {
  deviceid: string;
  g: number;
  tag: Uint8Array;
  at: number;
  /** Where the connection came from. */
  address: string;
}

type Report = SyncInput["report"];

/** Time of something at uptime `u` of boot `b`: known only within the boot that is speaking. */
function timeOf(request: SyncRequest, at: number, b: number, u: number): number {
  return b === request.b && u <= request.u ? Math.max(0, at - (request.u - u)) : at;
}

function textOf(state: Record<string, unknown>, name: string): string | undefined {
  const value = state[name];
  return typeof value === "string" ? value : undefined;
}

function reportOf({ x }: SyncRequest): Report {
  if (!x) return {};
  const rssi = Number.isInteger(x.rssi) && x.rssi !== 0 ? (x.rssi as number) : undefined; // 0: no radio
  const report: Report = { status: x };
  const ipaddr = textOf(x, "ip");
  if (ipaddr !== undefined) report.ipaddr = ipaddr;
  for (const name of ["ssid", "mac", "chip", "product", "layout", "version"] as const) {
    const value = textOf(x, name);
    if (value !== undefined) report[name] = value;
  }
  if (rssi !== undefined) report.rssi = rssi;
  return report;
}

/** Nothing from a pending device is stored but what it says of itself, for its owner to see. */
export function syncInput(request: SyncRequest, arrival: Arrival, state: Device["state"]): SyncInput {
  const { deviceid, g, tag, at, address } = arrival;
  const known = {
    deviceid,
    g,
    tag,
    at,
    address,
    boot: request.b,
    sequence: request.s,
    report: reportOf(request),
  };
  if (state !== "approved") return { ...known, readings: [], pins: [], ledger: [] };
  return {
    ...known,
    readings: (request.r ?? []).map(([boot, key, uptime, name, value]) => ({
      ...{ boot, key, uptime, name, value },
      at: timeOf(request, at, boot, uptime),
    })),
    pins: (request.v ?? []).map(([pin, value]) => ({ pin, value: String(value) })),
    ledger: (request.l ?? []).map(([boot, cause, version, previousUptimeMs, note]) => ({
      boot,
      at: timeOf(request, at, boot, 0),
      entry: { cause, version, previousUptimeMs, note },
    })),
    cfgsnApplied: request.c,
    ...(request.o && { ota: { ...request.o, at } }),
    ...(request.d && { properties: request.d }),
  };
}

/** True where the device waits for what the server says about this: such a request is not held. */
export function wantsAnswer(request: SyncRequest): boolean {
  return (
    [request.r, request.v, request.l].some((part) => part !== undefined && part.length > 0) || !!request.o
  );
}
