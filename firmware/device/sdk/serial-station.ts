// One thing at a time on the radio of a board: scans, joins and leaves in order, whatever the firmware asks in between. The
// chips do not do that themselves: a scan throws or spoils a join (ESP32), a join spoils a scan (ESP8266), and the end of one
// association arrives as an event when the next has begun.

import type { JoinEvents, JoinTarget, ScanList, Station, Timer } from "../types.js";
import { addressOf } from "./address-record.js";
import { ScanRecords } from "./scan-record.js";
import { reasonOf } from "./wifi-reasons.js";

/** What the chip tells; the numbers are those of firmware/native/station-events.h. */
export const SCANNED = 0; // records, or nothing where the scan failed
export const ASSOCIATED = 1; // BSSID and channel: 7 bytes
export const ADDRESS = 2; // an address record
export const LOST = 3; // raw reason

export type StationListener = (kind: number, value: ArrayBuffer | number | undefined) => void;

/** The chip's own C. None of it waits; what it says comes through the listener, in turns of its own. */
export interface StationDriver {
  /** Called once, before anything else. */
  listen(listener: StationListener): void;
  /** False where it could not begin: then there is no SCANNED. */
  scan(): boolean;
  /** False where it could not begin: then there is no event. */
  join(target: JoinTarget): boolean;
  /** Drops the association or the attempt. True where a LOST will tell that it is over. */
  leave(): boolean;
  /** As `Station.setHostName`; counts from the next time an address is asked for. */
  setHostName(name: string): void;
  rssi(): number | undefined;
}

/** A chip that owes the end of an association is believed after this, in ms. */
const LEAVE_MS = 1_000;
/** A scan of all channels takes an ESP32 1.5 s and an ESP8266 2.2 s; one that never ends would stop everything. */
const SCAN_MS = 10_000;
const BSSID_SIZE = 6; // bytes
/** CONNECTION_FAIL: a join that the chip would not even begin. */
const NOT_BEGUN = 205;

type Scanned = (found: ScanList | undefined) => void;
type Link = "down" | "joining" | "up" | "leaving";

export class SerialStation implements Station {
  private readonly driver: StationDriver;
  private readonly timer: Timer;
  private link: Link = "down";
  private scanning = false;
  private readonly scans: Scanned[] = []; // who waits for the scan that runs, or for the next
  private wanted: { target: JoinTarget; events: JoinEvents } | undefined; // a join that waits
  private events: JoinEvents | undefined; // of the join that is under way
  private addressed = false;
  private scanLimit: unknown;
  private linkLimit: unknown;

  constructor(driver: StationDriver, timer: Timer) {
    this.driver = driver;
    this.timer = timer;
    driver.listen((kind, value) => this.heard(kind, value));
  }

  /** Fails while an association is being made; waits while one is being dropped; shares a scan that runs already. */
  scan(done: Scanned): void {
    if (this.link === "joining") {
      this.timer.set(() => done(undefined), 0);
      return;
    }
    this.scans.push(done);
    this.next();
  }

  join(target: JoinTarget, events: JoinEvents): void {
    this.events = undefined;
    this.wanted = { target, events };
    this.next();
  }

  leave(): void {
    this.events = undefined;
    this.wanted = undefined;
    if (this.link === "joining" || this.link === "up") this.drop();
  }

  /** At once, whatever the radio does: it is read when an address is asked for. */
  setHostName(name: string): void {
    this.driver.setHostName(name);
  }

  rssi(): number | undefined {
    return this.link === "up" ? this.driver.rssi() : undefined;
  }

  reason(raw: number): string {
    return reasonOf(raw);
  }

  /** Does what waits, as far as the radio is free for it. */
  private next(): void {
    if (this.scanning || this.link === "leaving") return;
    if (this.scans.length > 0 && this.link !== "joining") this.beginScan();
    else if (this.wanted && this.link !== "down") this.drop();
    else if (this.wanted) this.beginJoin();
  }

  private beginScan(): void {
    this.scanning = true;
    const begun = this.driver.scan();
    this.scanLimit = this.timer.set(() => this.scanned(undefined), begun ? SCAN_MS : 0); // in a turn of its own, as ever
  }

  private beginJoin(): void {
    const { target, events } = this.wanted!;
    this.wanted = undefined;
    this.events = events;
    this.addressed = false;
    this.link = "joining";
    if (!this.driver.join(target)) this.linkLimit = this.timer.set(() => this.lost(NOT_BEGUN), 0);
  }

  private drop(): void {
    this.timer.clear(this.linkLimit);
    this.link = "leaving";
    if (this.driver.leave()) this.linkLimit = this.timer.set(() => this.left(), LEAVE_MS);
    else this.left();
  }

  private left(): void {
    this.timer.clear(this.linkLimit);
    this.link = "down";
    this.next();
  }

  private heard(kind: number, value: ArrayBuffer | number | undefined): void {
    if (kind === SCANNED) this.scanned(value as ArrayBuffer | undefined);
    else if (kind === ASSOCIATED) this.associated(new Uint8Array(value as ArrayBuffer));
    else if (kind === ADDRESS) this.gotAddress(value as ArrayBuffer);
    else if (kind === LOST) this.lost(value as number);
  }

  private scanned(records: ArrayBuffer | undefined): void {
    if (!this.scanning) return;
    this.timer.clear(this.scanLimit);
    this.scanning = false;
    const found = records && new ScanRecords(new Uint8Array(records));
    for (const done of this.scans.splice(0)) done(found);
    this.next();
  }

  private associated(where: Uint8Array): void {
    if (this.link !== "joining") return;
    this.link = "up";
    this.events?.associated(where.slice(0, BSSID_SIZE), where[BSSID_SIZE]);
  }

  /** Told once: what a renewed lease brings does not concern the join. */
  private gotAddress(record: ArrayBuffer): void {
    if (this.link !== "up" || this.addressed) return;
    this.addressed = true;
    this.events?.address(addressOf(new Uint8Array(record)));
  }

  private lost(raw: number): void {
    if (this.link === "down") return; // of a join that was given up for lost already
    const { events } = this; // undefined where the join was dropped: then nobody is told
    this.timer.clear(this.linkLimit);
    this.events = undefined;
    this.link = "down";
    events?.lost(raw);
    this.next();
  }
}
