// The radio of a virtual board as a Wi-Fi station; reason codes as ESP-IDF's wifi_err_reason_t (esp_wifi_types.h).

import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { BusError } from "../engine/engine.js";
import type { Air, Beacon } from "./air.js";
import type { Clock, ClockTimer } from "./clock.js";
import type { BusEvent, Post } from "./events.js";

export const reason = {
  authExpire: 2,
  handshakeTimeout: 15, // 4WAY_HANDSHAKE_TIMEOUT
  beaconTimeout: 200,
  noApFound: 201,
  authFail: 202,
  assocFail: 203,
  incompatibleSecurity: 210,
  belowAuthMode: 211,
} as const;

/** How long things take, in ms of world time: shorter than on the air, long enough to be in the right order. */
const SCAN_MS = 250;
const SEARCH_MS = 350;
const ASSOCIATE_MS = 60;
const HANDSHAKE_MS = 400;
const DHCP_MS = 80;
const BEACON_LOSS_MS = 1000;

const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/; // one label of RFC 1123, 2.1, at most 32 characters
/** As the boards' C hands a scan over (firmware/device/sdk/scan-record.ts): so many records of so many bytes. */
const MAX_SCAN_RECORDS = 16;
const SCAN_RECORD = 42;
const LOCKS = { open: 0, wep: 1, wpa: 2, wpa2: 3, wpa3: 6 } as const; // wifi_auth_mode_t
const JITTER_DB = 3;
const DEAF_BELOW_DBM = -95;

export interface JoinRequest {
  ssid: Uint8Array;
  password: string;
  bssid?: Uint8Array;
  channel?: number;
}

export interface RadioOptions {
  air: Air;
  clock: Clock;
  /** Seeded, [0, 1). */
  chance: () => number;
  post: Post;
  /** Last byte of the address that DHCP gives. */
  hostNumber: number;
}

type State = "off" | "joining" | "associated" | "online";

/** One operation at a time: a scan during a join fails, a join during a scan waits for its end. */
export class Radio {
  /** Called whenever packets stop or start coming through. */
  onReach: () => void = () => undefined;
  private readonly options: RadioOptions;
  private state: State = "off";
  private beacon: Beacon | undefined;
  private timer: ClockTimer | undefined;
  private scanTimer: ClockTimer | undefined;
  private afterScan: JoinRequest | undefined;
  private hostName: string | undefined; // DHCP option 12
  private generation = 0; // of the join: its events are void once it has changed
  private readonly detach: () => void;

  constructor(options: RadioOptions) {
    this.options = options;
    const { air } = options;
    const presence = (beacon: Beacon) => this.presenceChanged(beacon);
    const disconnect = (beacon: Beacon, raw: number) => {
      if (beacon === this.beacon) this.lose(raw);
    };
    const reach = (beacon: Beacon) => {
      if (beacon === this.beacon) this.onReach();
    };
    air.on("presence", presence).on("disconnect", disconnect).on("reach", reach);
    this.detach = () => void air.off("presence", presence).off("disconnect", disconnect).off("reach", reach);
  }

  /** True while the station has an address. */
  get online(): boolean {
    return this.state === "online";
  }

  /** True while it scans, joins or is joined: ESP-Touch cannot listen then. */
  get busy(): boolean {
    return this.state !== "off" || this.scanTimer !== undefined;
  }

  /** True while packets come through. */
  get reachable(): boolean {
    return this.online && this.beacon?.fail !== "unreachable" && this.beacon?.fail !== "absent";
  }

  /** The station's own, while it has one. */
  get address(): string | undefined {
    return this.online && this.beacon !== undefined
      ? addressOn(this.beacon, this.options.hostNumber)
      : undefined;
  }

  /** The name that its router has noted beside its address. */
  get hostNameAtRouter(): string | undefined {
    return this.address === undefined ? undefined : this.beacon?.leases.get(this.address);
  }

  get ssid(): string | undefined {
    return this.online ? this.beacon?.ssid : undefined;
  }

  scan(): void {
    const { clock, post } = this.options;
    if (this.scanTimer !== undefined) throw new BusError("busy", "a scan is going on");
    if (this.state === "joining") {
      post(() => ["station.scanned", undefined]);
      return;
    }
    this.scanTimer = clock.set(SCAN_MS, () => {
      this.scanTimer = undefined;
      const records = this.heard();
      post(() => ["station.scanned", records]);
      const next = this.afterScan;
      this.afterScan = undefined;
      if (next !== undefined) this.begin(next);
    });
  }

  join(request: JoinRequest): void {
    this.leave();
    if (this.scanTimer === undefined) this.begin(request);
    else this.afterScan = request;
  }

  /** Drops the association or the attempt, without an event. */
  leave(): void {
    this.generation += 1;
    this.afterScan = undefined;
    this.down();
  }

  /** What the next lease is asked for with. @throws BusError `bad-argument` for what is no host name (RFC 1123, 2.1) */
  setHostName(name: string): void {
    if (!HOST_NAME.test(name)) throw new BusError("bad-argument", `"${name}" is no host name`);
    this.hostName = name;
  }

  rssi(): number | undefined {
    if (this.state !== "associated" && this.state !== "online") return undefined;
    return this.beacon === undefined ? undefined : this.measured(this.beacon);
  }

  /** Power goes, or the chip resets: everything is forgotten. */
  close(): void {
    this.leave();
    this.options.clock.clear(this.scanTimer);
    this.scanTimer = undefined;
    this.detach();
  }

  private begin(request: JoinRequest): void {
    this.state = "joining";
    const beacon = this.find(request);
    if (beacon === undefined) return this.after(SEARCH_MS, () => this.lose(reason.noApFound));
    const refusal = this.refusal(beacon, request.password);
    if (refusal !== undefined) {
      const slow = refusal === reason.handshakeTimeout || refusal === reason.authFail;
      return this.after(slow ? HANDSHAKE_MS : ASSOCIATE_MS, () => this.lose(refusal));
    }
    this.beacon = beacon;
    this.after(ASSOCIATE_MS, () => this.associated(beacon));
  }

  private associated(beacon: Beacon): void {
    this.state = "associated";
    this.event(["station.associated", bssidBytes(beacon), beacon.channel]);
    if (beacon.fail === "no-address") return;
    this.after(DHCP_MS, () => {
      this.state = "online";
      const gateway = addressOn(beacon, 1);
      const address = addressOn(beacon, this.options.hostNumber);
      beacon.leases.set(address, this.hostName);
      this.event(["station.address", address, "255.255.255.0", gateway, [gateway]]);
      this.onReach();
    });
  }

  private find(request: JoinRequest): Beacon | undefined {
    const wanted = Buffer.from(request.ssid);
    return this.options.air.beacons().find((beacon) => {
      if (!wanted.equals(Buffer.from(beacon.ssid))) return false;
      if (request.bssid !== undefined && !Buffer.from(request.bssid).equals(bssidBytes(beacon))) return false;
      return request.channel === undefined || request.channel === beacon.channel;
    });
  }

  /** The reason for which the access point would not have the station, or undefined. */
  private refusal(beacon: Beacon, password: string): number | undefined {
    if (this.measured(beacon) < DEAF_BELOW_DBM) return reason.authExpire;
    if (beacon.fail === "refused") return reason.assocFail;
    const open = beacon.security === "open";
    if (open !== (password === "")) return open ? reason.belowAuthMode : reason.incompatibleSecurity;
    if (open || samePassword(beacon, password)) return undefined;
    return this.options.chance() < 0.5 ? reason.handshakeTimeout : reason.authFail;
  }

  private heard(): Uint8Array {
    const beacons = this.options.air.beacons().filter((beacon) => !beacon.hidden);
    const records = beacons.slice(0, MAX_SCAN_RECORDS).map((beacon) => this.record(beacon));
    return new Uint8Array(Buffer.concat(records));
  }

  private record(beacon: Beacon): Buffer {
    const record = Buffer.alloc(SCAN_RECORD);
    record[0] = record.write(beacon.ssid, 1);
    record.set(bssidBytes(beacon), 33);
    record[39] = beacon.channel;
    record.writeInt8(Math.max(-128, this.measured(beacon)), 40);
    record[41] = LOCKS[beacon.security];
    return record;
  }

  private measured(beacon: Beacon): number {
    return beacon.rssi + Math.round((this.options.chance() * 2 - 1) * JITTER_DB);
  }

  private presenceChanged(beacon: Beacon): void {
    if (beacon !== this.beacon) return;
    this.onReach();
    if (beacon.fail === "absent") this.after(BEACON_LOSS_MS, () => this.lose(reason.beaconTimeout));
    else this.options.clock.clear(this.timer);
  }

  private lose(raw: number): void {
    if (this.state === "off") return;
    this.down();
    this.event(["station.lost", raw]);
  }

  private down(): void {
    this.options.clock.clear(this.timer);
    this.timer = undefined;
    const was = this.state;
    this.state = "off";
    this.beacon = undefined;
    if (was === "online") this.onReach();
  }

  private after(ms: number, callback: () => void): void {
    this.options.clock.clear(this.timer);
    this.timer = this.options.clock.set(ms, callback);
  }

  private event(event: BusEvent): void {
    const { generation } = this;
    this.options.post(() => (generation === this.generation ? event : undefined));
  }
}

/** Every channel is a network of its own. */
function addressOn(beacon: Beacon, host: number): string {
  return `192.168.${beacon.channel}.${host}`;
}

export function bssidBytes(beacon: Beacon): Uint8Array {
  return Uint8Array.from(beacon.bssid.split(":"), (byte) => parseInt(byte, 16));
}

/** A WPA passphrase, or the 256-bit key made of it (IEEE 802.11 J.4), on either side. */
function samePassword(beacon: Beacon, password: string): boolean {
  if (password === beacon.password) return true;
  const isKey = (text: string) => /^[0-9a-fA-F]{64}$/.test(text);
  if (!isKey(password) && !isKey(beacon.password)) return false;
  const key = (text: string) =>
    isKey(text) ? Buffer.from(text, "hex") : pbkdf2Sync(text, beacon.ssid, 4096, 32, "sha1");
  return timingSafeEqual(key(password), key(beacon.password));
}
