// What the next sync says: a request within the bytes that the smallest chip may send, and what of it was taken.

import type { Address } from "../device/types.js";
import type { OtaReport, PinReport, Scalar, SyncReply, SyncRequest } from "../protocol/sync-message.js";
import type { Pins } from "../pins/pins.js";
import type { OtaStatus } from "../ota/status.js";
import type { Chain } from "../connect/chain.js";
import { macText } from "../connect/names.js";
import { configurationNumber } from "../pins/configuration.js";
import type { Base } from "../store/base.js";
import { acknowledgeLedger, ledgerEntries } from "../telemetry/ledger.js";
import type { Outbox } from "../telemetry/outbox.js";
import type { ServerTime } from "../telemetry/server-time.js";

/** Longest reply taken: 768 bytes of configuration and what goes with it, sealed. */
const MAX_REPLY = 1600; // bytes
const READINGS = 6; // a request
const THIN_READINGS = 2;
const PIN_REPORTS = 3; // a request
/** The signal is said again only when it changed by this much. */
const RSSI_STEP = 10; // dBm

/** Whose news it is. */
export interface Sources {
  chain: Chain;
  outbox: Outbox;
  pins: Pins;
  status: OtaStatus;
  time: ServerTime;
}

/** What a request is besides its news. */
export interface Occasion {
  boot: number;
  sequence: number;
  waitS: number; // how long the server may hold it
  address: Address | undefined;
  /** Of a device that is not approved yet: what M3 carries. */
  pending: string | undefined;
  /** Leaves out all but a few: for the request that was too long otherwise. */
  thin: boolean;
}

/** Says what there is to say, a piece at a time, until all of it was acknowledged. */
export class Reporter {
  private readonly base: Base;
  private readonly sources: Sources;
  // What was acknowledged, and what is under way.
  private otaSaid: OtaReport | undefined;
  private stateSaid = "";
  private otaSent: OtaReport | undefined;
  private stateSent = "";
  private pinsSent: PinReport[] = [];
  private ledgerWaits = true;

  constructor(base: Base, sources: Sources) {
    this.base = base;
    this.sources = sources;
  }

  /** There is something to say: such a request is answered at once. */
  get hasNews(): boolean {
    const { outbox, pins, status } = this.sources;
    return outbox.length > 0 || pins.hasReports || status.current !== this.otaSaid || this.ledgerWaits;
  }

  /** Says everything about itself again: to a server that may not know it. */
  forget(): void {
    this.otaSaid = undefined;
    this.stateSaid = "";
  }

  /**
   * What fits into one request: readings, pins, ledger and OTA state unless the device is pending, its own state where that
   * changed.
   */
  request({ boot, sequence, waitS, address, pending, thin }: Occasion): SyncRequest {
    const { base, sources } = this;
    const uptimeMs = base.device.system.uptimeMs();
    const request: SyncRequest = {
      b: boot,
      s: sequence,
      u: Math.round(uptimeMs),
      t: sources.time.at(uptimeMs),
      w: waitS,
      m: MAX_REPLY,
      p: sources.pins.revision,
      c: configurationNumber(base.store),
    };
    if (pending !== undefined) request.j = { n: pending };
    this.describe(request, address, thin);
    this.otaSent = undefined;
    this.pinsSent = [];
    if (pending === undefined) this.fill(request, thin);
    return request;
  }

  private describe(request: SyncRequest, address: Address | undefined, thin: boolean): void {
    const state = this.state(address);
    const json = JSON.stringify(state);
    this.stateSent = json === this.stateSaid || thin ? "" : json;
    if (this.stateSent) request.x = state;
  }

  private state(address: Address | undefined): Record<string, Scalar> {
    const { config, device } = this.base;
    const { chain } = this.sources;
    const state: Record<string, Scalar> = {
      ssid: chain.ssid,
      ip: address?.address ?? "",
      rssi: Math.round((device.station.rssi() ?? 0) / RSSI_STEP) * RSSI_STEP,
      mac: macText(device.system.mac()),
      chip: config.chip,
      product: config.product,
      layout: config.layout,
      version: config.version,
    };
    if (chain.failure) state.failure = chain.failure;
    return state;
  }

  private fill(request: SyncRequest, thin: boolean): void {
    const { outbox, pins, status } = this.sources;
    const readings = outbox.batch(thin ? THIN_READINGS : READINGS);
    if (readings.length > 0) request.r = readings;
    this.pinsSent = pins.reports(thin ? 1 : PIN_REPORTS);
    if (this.pinsSent.length > 0) request.v = this.pinsSent;
    if (thin) return;
    const entries = this.ledgerWaits ? ledgerEntries(this.base.store) : [];
    this.ledgerWaits = entries.length > 0;
    if (this.ledgerWaits) request.l = entries;
    if (status.current === this.otaSaid) return;
    request.o = this.otaSent = status.current;
  }

  /** A bound reply came: what it acknowledges is let go. */
  acknowledge(reply: SyncReply): void {
    const { outbox, pins } = this.sources;
    if (reply.a) outbox.acknowledge(reply.a[0], reply.a[1]);
    if (reply.la !== undefined) {
      acknowledgeLedger(this.base.store, reply.la);
      this.ledgerWaits = ledgerEntries(this.base.store).length > 0;
    }
    pins.acknowledge(this.pinsSent);
    this.otaSaid = this.otaSent ?? this.otaSaid;
    this.stateSaid = this.stateSent || this.stateSaid;
    this.pinsSent = [];
    this.otaSent = undefined;
  }
}
