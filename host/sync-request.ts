// From a verified request to what the store takes: the server's own units and times, nothing the device could overstate.

import { isIPv4 } from "node:net";
import { FormatError } from "../firmware/format/error.js";
import { integer, macText, nameText, refuse, text, type Scalar } from "../firmware/protocol/field.js";
import { MAX_STATE_TEXT, type State, type SyncRequest } from "../firmware/protocol/sync-message.js";
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

/** Text that can be shown on one line. */
function line(name: string, value: unknown, max: number): string {
  const checked = text(name, value, max);
  if (/\p{Cc}/u.test(checked)) refuse(name, "control characters");
  return checked;
}

function version(name: string, value: unknown): string {
  const checked = text(name, value, 31);
  if (!/^[0-9A-Za-z.+-]*$/.test(checked)) refuse(name, "expected a version");
  return checked;
}

function address(name: string, value: unknown): string {
  const checked = text(name, value, 15);
  if (checked !== "" && !isIPv4(checked)) refuse(name, "expected an IPv4 address");
  return checked;
}

function rssi(name: string, value: unknown): number {
  return 0 - integer(name, typeof value === "number" ? 0 - value : value, 127);
}

/** What the server itself goes by, or shows in a column: bounds as of the join and the manifest. */
const CHECKS: Record<string, (name: string, value: unknown) => Scalar> = {
  ssid: (name, value) => text(name, value, MAX_STATE_TEXT),
  ip: address,
  rssi,
  mac: macText,
  chip: (name, value) => nameText(name, value, 16),
  product: (name, value) => line(name, value, 32),
  layout: (name, value) => nameText(name, value, 32),
  version,
};

/** The members of `x` that are what they should be; an invalid one is left out, and its error added to `faults`. */
export function checkState(state: State, faults: FormatError[]): State {
  const checked: State = {};
  for (const [name, value] of Object.entries(state))
    try {
      checked[name] = Object.hasOwn(CHECKS, name) ? CHECKS[name]!(`x.${name}`, value) : value;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      faults.push(error);
    }
  return checked;
}

/** Of a state that was checked. The MAC has a column of its own, and the store decides on it: it says who a device is. */
function reportOf({ x }: SyncRequest): Report {
  if (!x) return {};
  const { mac, ...status } = x;
  const report: Report = { status };
  if (mac !== undefined) report.mac = mac as string;
  if (x.ip !== undefined) report.ipaddr = x.ip as string;
  for (const name of ["ssid", "chip", "product", "layout", "version"] as const)
    if (x[name] !== undefined) report[name] = x[name] as string;
  if (x.rssi !== undefined && x.rssi !== 0) report.rssi = x.rssi as number; // 0: no radio
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
