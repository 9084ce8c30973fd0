// What the next sync says: a request within the bytes that the smallest chip may send, and what of it was taken.

import type { OtaReport, PinReport, Scalar, SyncReply, SyncRequest } from "../protocol/sync-message.js";
import type { Pins } from "../pins/pins.js";
import type { OtaStatus } from "../ota/status.js";
import type { LogStore } from "../store/log-store.js";
import { acknowledgeLedger, ledgerEntries } from "../telemetry/ledger.js";
import type { Outbox } from "../telemetry/outbox.js";

/** Longest reply taken: 768 bytes of configuration and what goes with it, sealed. */
export const MAX_REPLY = 1600; // bytes
const READINGS = 6; // a request
const THIN_READINGS = 2;
const PIN_REPORTS = 3; // a request

/** Says what there is to say, a piece at a time, until all of it was acknowledged. */
export class Reporter {
  private readonly store: LogStore;
  private readonly outbox: Outbox;
  private readonly pins: Pins;
  private readonly status: OtaStatus;
  // What was acknowledged, and what is under way.
  private otaSaid: OtaReport | undefined;
  private stateSaid = "";
  private otaSent: OtaReport | undefined;
  private stateSent = "";
  private pinsSent: PinReport[] = [];
  private ledgerWaits = true;

  constructor(store: LogStore, outbox: Outbox, pins: Pins, status: OtaStatus) {
    this.store = store;
    this.outbox = outbox;
    this.pins = pins;
    this.status = status;
  }

  /** There is something to say: such a request is answered at once. */
  get hasNews(): boolean {
    const { outbox, pins, status } = this;
    return outbox.length > 0 || pins.hasReports || status.current !== this.otaSaid || this.ledgerWaits;
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
  fill(request: SyncRequest, state: Record<string, Scalar>, pending: boolean, thin: boolean): void {
    const json = JSON.stringify(state);
    this.otaSent = undefined;
    this.pinsSent = [];
    this.stateSent = json === this.stateSaid || thin ? "" : json;
    if (this.stateSent) request.x = state;
    if (pending) return;
    const readings = this.outbox.batch(thin ? THIN_READINGS : READINGS);
    if (readings.length > 0) request.r = readings;
    this.pinsSent = this.pins.reports(thin ? 1 : PIN_REPORTS);
    if (this.pinsSent.length > 0) request.v = this.pinsSent;
    if (thin) return;
    const entries = this.ledgerWaits ? ledgerEntries(this.store) : [];
    this.ledgerWaits = entries.length > 0;
    if (this.ledgerWaits) request.l = entries;
    if (this.status.current === this.otaSaid) return;
    request.o = this.otaSent = this.status.current;
  }

  /** A bound reply came: what it acknowledges is let go. */
  acknowledge(reply: SyncReply): void {
    if (reply.a) this.outbox.acknowledge(reply.a[0], reply.a[1]);
    if (reply.la !== undefined) {
      acknowledgeLedger(this.store, reply.la);
      this.ledgerWaits = ledgerEntries(this.store).length > 0;
    }
    this.pins.acknowledge(this.pinsSent);
    this.otaSaid = this.otaSent ?? this.otaSaid;
    this.stateSaid = this.stateSent || this.stateSaid;
    this.pinsSent = [];
    this.otaSent = undefined;
  }
}
