// What is on the air: the access points of the world and how faults change them, shared by all boards.

import { EventEmitter } from "node:events";
import { frameLength, type Answer, type Frame } from "./frames.js";
import type { AccessPoint, Failure, World } from "./world.js";

/** An access point as it is now, and the router in it. */
export type Beacon = { -readonly [K in keyof AccessPoint]: AccessPoint[K] } & {
  /** Addresses given so far, each with the host name that it was asked for with (RFC 2132, 3.14). */
  readonly leases: Map<string, string | undefined>;
};

interface AirEvents {
  /** The access point left the air, or came back to it. */
  presence: [Beacon];
  /** It turned its stations away, with the reason of IEEE 802.11 9.4.1.7. */
  disconnect: [Beacon, number];
  /** Packets began or ceased to come through. */
  reach: [Beacon];
  /** A datagram to all was sent on. */
  frame: [Frame];
}

export class Air extends EventEmitter<AirEvents> {
  /** Shares of the frames that a listener misses, and that the next one overtakes. */
  readonly loss: number;
  readonly reorder: number;
  private readonly points: Beacon[];

  constructor(world: World) {
    super();
    this.setMaxListeners(0); // one for each board
    this.loss = world.air.loss;
    this.reorder = world.air.reorder;
    this.points = world.accessPoints.map((point) => ({
      ...point,
      leases: new Map<string, string | undefined>(),
    }));
  }

  /** Everything that sends beacons now, strongest first. */
  beacons(): Beacon[] {
    return this.points.filter((point) => point.fail !== "absent").sort((a, b) => b.rssi - a.rssi);
  }

  setFailure(ssid: string, fail: Failure | undefined): void {
    for (const point of this.named(ssid)) {
      const before = point.fail;
      point.fail = fail;
      if ((before === "absent") !== (fail === "absent")) this.emit("presence", point);
      if ((before === "unreachable") !== (fail === "unreachable")) this.emit("reach", point);
    }
  }

  setSignal(ssid: string, rssi: number): void {
    for (const point of this.named(ssid)) point.rssi = rssi;
  }

  /** Stations that are there are turned away (reason 2, authentication no longer valid). */
  setPassword(ssid: string, password: string): void {
    for (const point of this.named(ssid)) {
      point.password = password;
      point.security = password === "" ? "open" : point.security === "open" ? "wpa2" : point.security;
      this.emit("disconnect", point, 2);
    }
  }

  disconnect(ssid: string, reason: number): void {
    for (const point of this.named(ssid)) this.emit("disconnect", point, reason);
  }

  /** An access point sends on what somebody in its network sends to all. */
  carry(ssid: string, sender: string, payload: number, answer?: Answer): void {
    for (const beacon of this.named(ssid))
      if (beacon.fail !== "absent")
        this.emit("frame", { beacon, sender, length: frameLength(payload, beacon.security), answer });
  }

  named(ssid: string): Beacon[] {
    return this.points.filter((point) => point.ssid === ssid);
  }
}
