// The first-boot chain: stored networks, patched defaults, then SmartConfig and the dialog, which share the radio with further
// attempts by time slices, for ever. It owns the radio: one attempt, scan or slice at a time, in whatever order they are asked for.
//
// Nothing here waits in an async function (each would cost the device 1.4 KB of its 32): whatever ends calls `next`.

import type { Address, ScanList, TouchCredentials } from "../device/types.js";
import { masked } from "../protocol/log-line.js";
import type { Base } from "../store/base.js";
import { markWorked, NETWORK_PART } from "../store/defaults-record.js";
import { getCount } from "../store/json-record.js";
import { BOOT_NUMBER } from "../store/keys.js";
import { firstLimits, knownNetworks } from "./known-networks.js";
import { hostName, macText } from "./names.js";
import { networkNote, noteFailure, noteSuccess } from "./network-notes.js";
import { networkFault, rememberNetwork, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import { byProspect, enterSignals, heardNow, rankByTurn } from "./plan.js";
import type { Known } from "./plan.js";
import { readSent, SentTrial } from "./sent-server.js";
import { SmartConfigSlice } from "./smartconfig.js";
import type { SliceListener } from "./smartconfig.js";
import type { Radio, Request, StepName, Watcher } from "./step.js";
import { Trying } from "./try-network.js";
import type { Attempt, AttemptListener, Limits } from "./try-network.js";

/** All attempts between two slices. */
const BETWEEN_SLICES_MS = 15_000;
const LATER_ASSOCIATION_MS = 8_000;
/** Association where the network was last time, before it is looked for. */
const PLACE_MS = 5_000;
/** A scan older than this says nothing about who is there. */
const STALE_MS = 10_000;

export interface ChainListener {
  onOnline(address: Address): void;
  onLost(reason: string): void;
}

interface Place {
  bssid: Uint8Array;
  channel: number;
}

export type Phase = "off" | "pass" | "waiting" | "online";

export class Chain implements Radio, AttemptListener, SliceListener {
  /** SSID of the last network that led to an address, for people. */
  ssid = "";
  /** Why the last attempt failed that did, since the start; the server is told. */
  failure = "";
  /** They are told before the listener. */
  readonly watchers: Watcher[] = [];
  phase: Phase = "off";
  private readonly base: Base;
  private readonly slice: SmartConfigSlice;
  private listener: ChainListener | undefined;
  private trying: Trying | undefined; // also while online
  private current: Known | Request | undefined; // what is being tried
  private scanning = false;
  private requested: Request | undefined;
  private scans: ((found: ScanList | undefined) => void)[] = [];
  private held: Address | undefined; // until `goOn`
  /** Known networks that are still to be tried. */
  private plan: Known[] = [];
  private scannedMs = -STALE_MS;
  private heard: number[] | undefined; // known ones in the scan before
  private place: Place | undefined; // where the first of the plan was last time
  private atPlace = false; // the attempt is made there only
  private mustScan = false; // before the attempts between slices
  private untilMs = 0; // attempts between slices
  private sliceSaid = ""; // that nobody was heard in it, as the last thing said
  private turn = 0; // of those that are tried between slices
  private begun = false; // not the first pass since the start
  private skipping = false; // the next pass begins at step 3
  /** A request broke off an attempt: the next one is let through, or floods of requests could keep the device away. */
  private patient = false;
  /** Steps of the pass, the one under way, its last reason and its beginning. */
  private order: StepName[] = [];
  private reason = "none";
  private sinceMs = 0;
  private triedMs = 0; // when the attempt began

  constructor(base: Base) {
    this.base = base;
    this.slice = new SmartConfigSlice(base, this);
  }

  get online(): boolean {
    return this.phase === "online";
  }

  get knowsNothing(): boolean {
    return knownNetworks(this.base.store, false).length === 0;
  }

  /** Goes through the steps until one is online. Never gives up, and never erases credentials. */
  connect(listener: ChainListener): void {
    this.listener = listener;
    if (this.phase !== "off") return;
    const { store } = this.base;
    this.phase = "pass";
    this.sinceMs = this.uptimeMs();
    this.reason = "none";
    this.scannedMs = -STALE_MS;
    this.heard = undefined;
    const plan = knownNetworks(store, !this.begun);
    this.begun = true;
    const first = plan[0];
    const note = first?.step === "stored" ? networkNote(store, first.ssid) : undefined;
    this.place = note?.channel ? { bssid: note.bssid!, channel: note.channel } : undefined;
    this.order =
      first?.step === "defaults" && plan.length > 1 ? ["defaults", "stored"] : ["stored", "defaults"];
    this.plan = this.skipping ? [] : plan;
    this.skipping = false;
    this.next();
  }

  /** Begins at step 3: somebody is there and wants to set the device up. */
  setUp(): void {
    this.skipping = this.phase === "off" || this.phase === "online";
    if (this.phase === "online") return this.drop("set-up was asked for");
    this.plan = [];
    if (!this.current || "done" in this.current) return;
    this.trying?.cancel();
    this.current = undefined;
    this.next();
  }

  scan(done: (found: ScanList | undefined) => void): void {
    this.scans.push(done);
    this.next();
  }

  request(request: Request): void {
    if (this.requested || (this.current && "done" in this.current)) return refuse(request);
    this.requested = request;
    if (this.phase === "online") return this.drop("another network is tried");
    if (this.current && !this.patient) {
      this.trying!.cancel();
      this.plan.unshift(this.current as Known);
      this.current = undefined;
      this.patient = true;
    }
    this.next();
  }

  goOn(): void {
    const address = this.held;
    this.held = undefined;
    if (address && this.phase === "online") this.listener?.onOnline(address);
  }

  // --- what comes next ---

  private next(): void {
    if (this.scanning || this.current) return;
    if (this.scans.length > 0) return this.startScan();
    if (this.phase === "off" || this.phase === "online") return;
    if (this.requested) return this.tryRequest(this.requested);
    if (this.phase === "pass") return this.nextInPass();
    if (this.slice.running) return this.slice.resume();
    const first = this.plan[0];
    if (first && this.mustScan) return this.startScan();
    const leftMs = this.untilMs - this.uptimeMs();
    if (!first || leftMs <= 0) return this.slice.start();
    this.plan.shift();
    this.turn += 1;
    this.try(first, { associationMs: Math.min(LATER_ASSOCIATION_MS, leftMs), addressMs: leftMs });
  }

  private nextInPass(): void {
    const first = this.plan[0];
    if (!first) return this.wait();
    const { place } = this;
    if (!place && this.uptimeMs() - this.scannedMs > STALE_MS) return this.startScan();
    this.place = undefined;
    this.plan.shift();
    this.report(first.step);
    const limits = firstLimits(this.base.store);
    if (place) limits.associationMs = Math.min(limits.associationMs, PLACE_MS);
    this.try(first, limits, place);
  }

  /** Steps 1 and 2 are through: from now on the radio is shared. */
  private wait(): void {
    this.report(undefined);
    if (!this.base.device.smartconfig) this.say("smartconfig", "not-available", this.uptimeMs());
    this.phase = "waiting";
    this.slice.start();
    for (const watcher of this.watchers) watcher.onWaiting();
  }

  /** Says how the steps before `step` ended. */
  private report(step: StepName | undefined): void {
    if (step !== undefined && !this.order.includes(step)) return;
    while (this.order.length > 0 && this.order[0] !== step) {
      this.say(this.order.shift()!, this.reason, this.sinceMs);
      this.reason = "none";
      this.sinceMs = this.uptimeMs();
    }
  }

  private say(step: StepName, result: string, sinceMs: number): void {
    const ms = Math.round(this.uptimeMs() - sinceMs);
    this.sliceSaid = "";
    this.base.log("chain", `step=${step} result=${result} ms=${ms}`);
  }

  private uptimeMs(): number {
    return this.base.device.system.uptimeMs();
  }

  // --- scans ---

  private startScan(): void {
    this.scanning = true;
    this.slice.pause();
    const { station, timer } = this.base.device;
    station.scan((found) => void timer.set(() => this.scanned(found), 0));
  }

  private scanned(found: ScanList | undefined): void {
    this.scanning = false;
    if (!this.slice.running && (this.phase === "pass" || this.phase === "waiting")) this.arrange(found);
    for (const done of this.scans.splice(0)) done(found);
    this.next();
  }

  private arrange(found: ScanList | undefined): void {
    this.scannedMs = this.uptimeMs();
    this.mustScan = false;
    this.untilMs = this.scannedMs + BETWEEN_SLICES_MS;
    const first =
      this.phase === "pass" && this.order.length > 1 ? (this.order[0] as Known["step"]) : undefined;
    enterSignals(this.plan, found);
    byProspect(this.plan, this.heard, first);
    this.heard = heardNow(this.plan);
  }

  // --- attempts ---

  private try(network: Known, limits: Limits, place?: Place): void {
    this.current = network;
    this.atPlace = place !== undefined;
    this.join(network, limits, place);
  }

  private tryRequest(request: Request): void {
    this.slice.pause();
    this.requested = undefined;
    this.current = request;
    this.join(request.network, firstLimits(this.base.store));
  }

  private join({ ssid, password }: Network, limits: Limits, place?: Place): void {
    const secret = password === "" ? "open" : `password ${masked(password)}`;
    const where = place ? `, channel ${place.channel}` : "";
    this.base.log("wifi", `joining "${ssidText(ssid)}", ${secret}${where}`);
    this.triedMs = this.uptimeMs();
    this.base.device.station.setHostName(hostName(this.base));
    this.trying = new Trying(this.base, { ssid, password, ...place }, limits, this);
  }

  onAttempt(attempt: Attempt): void {
    const current = this.current!;
    const request = "done" in current ? current : undefined;
    const network = "done" in current ? current.network : current;
    const step = "done" in current ? current.from : current.step;
    this.current = undefined;
    if (attempt.address) return this.succeed(network, step, attempt, request);
    this.failed(network.ssid, attempt.reason);
    if (request || this.phase !== "pass") this.say(step, attempt.reason, this.triedMs);
    if (!("done" in current)) this.knownFailed(current, attempt.reason);
    request?.done(attempt);
    this.next();
  }

  private failed(ssid: Uint8Array, reason: string): void {
    this.failure = reason;
    this.base.log("wifi", `"${ssidText(ssid)}" failed: ${reason}`, "W");
  }

  private knownFailed(known: Known, reason: string): void {
    this.patient = false;
    this.reason = reason;
    // It may be elsewhere by now:
    if (this.atPlace && (reason.startsWith("not-found") || reason.startsWith("timeout")))
      this.plan.unshift(known);
    try {
      noteFailure(this.base.store, known.ssid, reason);
    } catch (error) {
      this.base.log("wifi", `not noted: ${(error as Error).message}`, "E");
    }
  }

  private succeed(network: Network, step: StepName, attempt: Attempt, request: Request | undefined): void {
    const inPass = this.phase === "pass" && !request;
    if (inPass) this.report(step);
    this.say(step, attempt.reason, inPass ? this.sinceMs : this.triedMs);
    this.plan = []; // eight networks: nobody asks for them any more, and what is kept now needs the room
    this.keep(network, step, attempt);
    this.slice.stop();
    this.phase = "online";
    this.patient = false;
    if (request?.hold) this.held = attempt.address;
    for (const watcher of this.watchers) watcher.onOnline(attempt.address!, step);
    request?.done(attempt);
    if (!request?.hold) this.listener!.onOnline(attempt.address!);
    this.next();
  }

  private keep(network: Network, step: StepName, { address, bssid, channel }: Attempt): void {
    const { store, log, device } = this.base;
    const mac = macText(device.system.mac());
    log("wifi", `address ${address!.address}, gateway ${address!.gateway}, mac ${mac}`);
    this.ssid = ssidText(network.ssid);
    try {
      rememberNetwork(store, network);
      noteSuccess(store, network.ssid, getCount(store, BOOT_NUMBER), { bssid, channel });
      if (step === "defaults") markWorked(store, NETWORK_PART);
    } catch (error) {
      log("wifi", `not stored: ${(error as Error).message}`, "E"); // online all the same
    }
  }

  onLost(reason: string): void {
    this.phase = "off";
    this.held = undefined;
    for (const watcher of this.watchers) watcher.onLost?.();
    this.listener?.onLost(reason);
  }

  /** Leaves the network that it is on. */
  private drop(why: string): void {
    this.trying?.cancel();
    this.onLost(why);
  }

  // --- between the slices ---

  onSlice(result: TouchCredentials | string): void {
    const { slice } = this;
    // Whatever came of it, what is known has its turn before the next slice: a phone may send a wrong password for ever.
    this.plan = knownNetworks(this.base.store, false);
    rankByTurn(this.plan, this.turn);
    this.mustScan = true;
    if (typeof result === "string") {
      const again = result === this.sliceSaid; // every 30 s, in the middle of what a person types
      if (result !== "not-available" && !again) this.say("smartconfig", result, slice.startedMs);
      this.sliceSaid = result;
      return this.next();
    }
    const network = { ssid: result.ssid, password: result.password };
    const sent = readSent(this.base, result);
    const done = ({ address }: Attempt) => {
      if (!address) return slice.drop();
      slice.acknowledge();
      if (sent) new SentTrial(this.base, sent, this);
    };
    if (!networkFault(network))
      this.request({ network, from: "smartconfig", done, hold: sent !== undefined });
    else {
      this.say("smartconfig", "none", slice.startedMs);
      slice.drop();
    }
    this.next();
  }
}

function refuse(request: Request): void {
  request.done({ address: undefined, reason: "timeout" });
}
