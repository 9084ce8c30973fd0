// What the next sync says: a request within the bytes that the smallest chip may send, and what of it was taken.

import type { Scalar, SyncReply, SyncRequest } from "../protocol/sync-message.js";
import { configurationNumber } from "../pins/configuration.js";
import type { Pins } from "../pins/pins.js";
import type { OtaStatus } from "../ota/status.js";
import type { LogStore } from "../store/log-store.js";
import { acknowledgeLedger, ledgerEntries } from "../telemetry/ledger.js";
import type { Outbox } from "../telemetry/outbox.js";

/** Longest reply taken: 768 bytes of configuration and what goes with it, sealed. */
const MAX_REPLY = 1600; // bytes
const READINGS = 6; // a request
const PIN_REPORTS = 3; // a request

export interface Sources {
  store: LogStore;
  outbox: Outbox;
  pins: Pins;
  status: OtaStatus;
}

/** Sends what there is to say, a piece at a time, until all of it was acknowledged. */
export class Reporter {
  private readonly sources: Sources;
  private otaSaid: unknown;
  private stateSaid = "";
  private sent: { o: unknown; x: string; v: SyncRequest["v"] } = { o: undefined, x: "", v: undefined };

  constructor(sources: Sources) {
    this.sources = sources;
  }

  /** There is something to say: the request is answered at once, and cannot be a hold. */
  get hasNews(): boolean {
    const { outbox, pins, status, store } = this.sources;
    return (
      outbox.length > 0 ||
      pins.reports(1).length > 0 ||
      status.current !== this.otaSaid ||
      ledgerEntries(store).length > 0
    );
  }

  /** Says everything about itself again: to a server that may not know it. */
  forget(): void {
    this.otaSaid = undefined;
    this.stateSaid = "";
  }

  /**
   * Completes `request` with what fits: readings, pins, ledger and OTA state unless the device is pending, its state where
   * it changed. `thin` leaves out all but a few: for the request that was too long otherwise.
   */
  fill(
    request: Omit<SyncRequest, "m" | "p" | "c">,
    state: Record<string, Scalar>,
    pending: boolean,
    thin: boolean,
  ): SyncRequest {
    const { store, outbox, pins, status } = this.sources;
    const full: SyncRequest = { ...request, m: MAX_REPLY, p: pins.revision, c: configurationNumber(store) };
    const json = JSON.stringify(state);
    this.sent = { o: undefined, x: "", v: undefined };
    if (json !== this.stateSaid && !thin) {
      full.x = state;
      this.sent.x = json;
    }
    if (pending) return full;
    const readings = outbox.batch(thin ? 2 : READINGS);
    if (readings.length > 0) full.r = readings;
    const reports = pins.reports(thin ? 1 : PIN_REPORTS);
    if (reports.length > 0) {
      full.v = reports;
      this.sent.v = reports;
    }
    if (thin) return full;
    const entries = ledgerEntries(store);
    if (entries.length > 0) full.l = entries;
    if (status.current !== this.otaSaid) {
      full.o = status.current;
      this.sent.o = status.current;
    }
    return full;
  }

  /** A bound reply came: what it acknowledges is let go. */
  acknowledge(reply: SyncReply): void {
    const { store, outbox, pins } = this.sources;
    if (reply.a) outbox.acknowledge(reply.a[0], reply.a[1]);
    if (reply.la !== undefined) acknowledgeLedger(store, reply.la);
    if (this.sent.v) pins.acknowledge(this.sent.v);
    if (this.sent.o) this.otaSaid = this.sent.o;
    if (this.sent.x) this.stateSaid = this.sent.x;
  }
}
