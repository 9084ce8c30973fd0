// The server's side of the sealed round trip (PROTOCOL, 1): open, decide, store, answer or hold.

import { encodeUtf8 } from "../firmware/format/utf8.js";
import { FormatError } from "../firmware/format/error.js";
import type { Crypto } from "../firmware/protocol/crypto.js";
import { openM3 } from "../firmware/protocol/join.js";
import type { DeviceKeys, Sealed } from "../firmware/protocol/sealed.js";
import { openRequest, parseSealed, replyRoom, sealReply, tagText } from "../firmware/protocol/sealed.js";
import { decodeRequest, type SyncReply, type SyncRequest } from "../firmware/protocol/sync-message.js";
import type { KeyCache } from "./device-keys.js";
import type { Events } from "./events.js";
import type { Hold, Holds } from "./holds.js";
import type { Metrics } from "./metrics.js";
import type { PinService } from "./pins.js";
import type { Presence } from "./presence.js";
import { StaleWatch } from "./stale-watch.js";
import type { Device, Join, Offer, Store, SyncOutcome } from "./store/store.js";
import { replyTo, type Sayings } from "./sync-reply.js";
import { checkState, syncInput, wantsAnswer } from "./sync-request.js";

export interface SyncOptions {
  store: Store;
  crypto: Crypto;
  keys: KeyCache;
  holds: Holds;
  presence: Presence;
  events: Events;
  metrics: Metrics;
  pins: PinService;
  now: () => number;
  log: (line: string) => void;
}

/** How long the answer to a request with an invalid part waits. */
const FAULT_PAUSE_MS = 1000;
/** Of what is wrong with one request, this much goes to the log. */
const MAX_REPORTED = 5;

/** Where a request came from, and when its connection is gone. */
export interface Peer {
  address: string;
  onClose(listener: () => void): void;
}

type Known = Extract<SyncOutcome, { device: Device }>;

interface Message {
  sealed: Sealed;
  keys: DeviceKeys;
  request: SyncRequest;
  /** What was wrong with parts of it that are left out. */
  faults: FormatError[];
}

/** Reads nobody's plaintext: FormatError means the other side did not speak the protocol. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function nameOf({ manifest, revision }: Offer): string {
  return `${manifest}@${revision}`;
}

export class SyncService {
  readonly #options: SyncOptions;
  readonly #stale: StaleWatch;
  /** Offer (manifest@revision) that each device was told after it had processed the trigger. */
  readonly #told = new Map<string, string>();

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#stale = new StaleWatch(options.now);
  }

  /** Devices that were stale too often lately: a clone, or somebody who replays. */
  isSuspect(id: string): boolean {
    return this.#stale.isSuspect(id);
  }

  /**
   * Answers one request. Undefined stands for the constant 401: unknown device, bad form, bad tag, blocked; the caller
   * tells none of them apart.
   */
  async handle(id: string, body: Uint8Array, peer: Peer): Promise<Uint8Array | undefined> {
    const { store, metrics } = this.#options;
    const message = await this.#open(id, body);
    const device = message && (await store.getDevice(id));
    if (!message || !device || device.state === "blocked" || device.state === "replaced") {
      metrics.add("sync_unauthenticated");
      return undefined;
    }
    if (device.state === "denied") return this.#seal(message, { t: this.#options.now(), e: "denied" });
    const { sealed, request } = message;
    const arrival = {
      ...{ deviceid: id, g: sealed.g, tag: sealed.tag, address: peer.address },
      at: this.#options.now(),
    };
    const outcome = await store.sync(syncInput(request, arrival, device.state));
    if (outcome.kind === "unknown") return undefined;
    if (outcome.kind === "stale") return this.#refuseStale(id, message, outcome.highestBoot);
    if (outcome.kind === "duplicate") {
      metrics.add("sync_duplicate");
      return this.#answer(message, outcome, undefined);
    }
    this.#report(id, message.faults);
    await this.#accepted(outcome, request);
    return this.#hold(message, outcome, peer);
  }

  async #open(id: string, body: Uint8Array): Promise<Message | undefined> {
    const { crypto, keys } = this.#options;
    const sealed = attempt(() => parseSealed(body));
    if (!sealed) return undefined;
    const opened = sealed.id === id ? await keys.get(id, sealed.g) : undefined;
    const plaintext = attempt(() => openRequest(crypto, opened?.keys ?? keys.decoy, sealed));
    if (!opened || !plaintext) return undefined;
    const faults: FormatError[] = [];
    const request = this.#decode(id, plaintext, faults);
    if (!request) return undefined;
    if (opened.join && !(await this.#confirm(opened.join, request))) return undefined;
    return { sealed, keys: opened.keys, request, faults };
  }

  /** Sealed by the device, and yet wrong: a defect of its firmware, for its maker to see in the log. */
  #decode(id: string, plaintext: Uint8Array, faults: FormatError[]): SyncRequest | undefined {
    try {
      const request = decodeRequest(plaintext, faults);
      return request.x ? { ...request, x: checkState(request.x, faults) } : request;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#options.log(`device ${id}: ${error.message}`);
      return undefined;
    }
  }

  /** M3: the first sync under a new K. Only now is there something for the owner to see. */
  async #confirm(join: Join, request: SyncRequest): Promise<boolean> {
    const { store, crypto, metrics, events, now } = this.#options;
    const { j } = request;
    const code = j && attempt(() => openM3(crypto, { h: join.h, c: join.commitment }, j.n));
    if (code === undefined) return false;
    const device = await store.confirmJoin(join.deviceid, code, now());
    if (!device) return (await store.getIdentity(join.deviceid, join.g)) !== undefined; // another M3 was quicker
    metrics.add("join_confirmed");
    const { mac, chip, product, version, claims } = device;
    events.emit("join.pending", { id: device.deviceid, code, mac, chip, product, version, claims });
    return true;
  }

  #report(id: string, faults: FormatError[]): void {
    if (faults.length === 0) return;
    this.#options.metrics.add("sync_fields_refused", faults.length);
    const some = faults.slice(0, MAX_REPORTED).map(({ message }) => message);
    this.#options.log(`device ${id}: left out ${faults.length}: ${some.join("; ")}`);
  }

  #refuseStale(id: string, message: Message, hb: number): Uint8Array {
    const { metrics, events, now } = this.#options;
    metrics.add("sync_replay_rejected");
    if (this.#stale.count(id)) events.emit("alert", { id, what: "suspected-clone" });
    return this.#seal(message, { t: now(), e: "stale", hb });
  }

  async #accepted(outcome: Known, request: SyncRequest): Promise<void> {
    const { metrics, presence, events, store, pins } = this.#options;
    const { device } = outcome;
    const id = device.deviceid;
    metrics.add("sync_accepted");
    metrics.add("readings_stored", outcome.stored);
    presence.seen(id);
    if (device.state !== "approved") return void events.emit("device", { id });
    if (request.o) events.emit("ota.state", { id, ...request.o });
    for (const [pin, value] of request.v ?? [])
      events.emit("pin.changed", { id, pin: `V${pin}`, value: String(value), by: "device" });
    if (request.o?.state === "checking") await pins.check(device);
    if (device.offer && (await this.#isSettled(device, request))) {
      await store.setOffer(id, null);
      this.#told.delete(id);
    }
    events.emit("device", { id });
  }

  /** The device runs what was on offer, or has tried and gone back: asked again only by its owner. */
  async #isSettled({ offer, version }: Device, { o }: SyncRequest): Promise<boolean> {
    const release = await this.#options.store.getRelease(offer!.manifest);
    if (!release || release.version === version) return true;
    return (o?.state === "rolled-back" || o?.state === "failed") && o.version === release.version;
  }

  /** Answers at once, or when there is something to say, or when the device's patience ends. */
  async #hold(message: Message, outcome: Known, peer: Peer): Promise<Uint8Array | undefined> {
    const { holds, metrics } = this.#options;
    const id = outcome.device.deviceid;
    const { request } = message;
    // A device that was approved while it was away does not know yet: it must not wait out a hold to hear it.
    const approved = request.j !== undefined && outcome.device.state === "approved";
    if (request.w === 0 || approved || wantsAnswer(request)) {
      if (message.faults.length > 0) await this.#pause(id, peer);
      return this.#answer(message, outcome, undefined);
    }
    const hold = holds.open(id, request.w * 1000);
    peer.onClose(() => hold.end());
    try {
      let waited = false;
      for (;;) {
        const answer = await this.#answer(message, outcome, hold);
        if (answer !== "nothing") return answer;
        if (!waited) metrics.add("sync_held");
        waited = true;
        await hold.wait();
      }
    } finally {
      holds.release(id, hold);
    }
  }

  /** What is not acknowledged is sent again at once: without this, as fast as the network goes. */
  async #pause(id: string, peer: Peer): Promise<void> {
    const { holds } = this.#options;
    const hold = holds.open(id, FAULT_PAUSE_MS);
    peer.onClose(() => hold.end());
    while (!hold.over) await hold.wait();
    holds.release(id, hold);
  }

  /** The reply as things are now; `"nothing"` where there is none to give before the hold ends. */
  async #answer(message: Message, outcome: Known, hold: undefined): Promise<Uint8Array | undefined>;
  async #answer(message: Message, outcome: Known, hold: Hold): Promise<Uint8Array | undefined | "nothing">;
  async #answer(
    message: Message,
    outcome: Known,
    hold: Hold | undefined,
  ): Promise<Uint8Array | undefined | "nothing"> {
    const { store, now } = this.#options;
    const mayWait = hold !== undefined && !hold.over;
    const device = await store.getDevice(outcome.device.deviceid);
    if (!device || device.state === "blocked" || device.state === "replaced") return undefined;
    if (device.state === "denied") return this.#seal(message, { t: now(), e: "denied" });
    if (device.state === "pending")
      return mayWait ? "nothing" : this.#seal(message, { t: now(), e: "pending" });
    const sayings = await this.#sayings(device, message.request);
    const approvedNow = outcome.device.state === "pending";
    if (mayWait && !approvedNow && !this.#isNews(device, message.request, sayings)) return "nothing";
    if (sayings.offer && message.request.p >= device.offer!.revision)
      this.#told.set(device.deviceid, nameOf(device.offer!));
    const room = replyRoom(message.sealed.id, message.sealed.g, message.request.m);
    return this.#seal(message, replyTo(message.request, device, outcome, sayings, now(), room));
  }

  async #sayings(device: Device, request: SyncRequest): Promise<Sayings> {
    const { store } = this.#options;
    const id = device.deviceid;
    const release = device.offer ? await store.getRelease(device.offer.manifest) : undefined;
    const config = device.cfgsn > 0 && device.cfgsn !== request.c ? await store.getConfig(id) : undefined;
    return {
      pins: await store.desiredPinsAbove(id, request.p),
      config: config && { n: config.sn, v: config.values as NonNullable<Sayings["config"]>["v"] },
      offer: release && !release.withdrawn ? { release, ...device.offer! } : undefined,
    };
  }

  /** An offer is news until it was told to a device that had processed its trigger; pins until they are processed. */
  #isNews(device: Device, request: SyncRequest, { pins, config, offer }: Sayings): boolean {
    if (pins.length > 0 || config) return true;
    if (request.s === 1 && Object.keys(device.properties).length > 0) return true;
    return offer !== undefined && this.#told.get(device.deviceid) !== nameOf(device.offer!);
  }

  #seal({ sealed, keys }: Message, reply: SyncReply): Uint8Array {
    const { id, g } = sealed;
    const plaintext = encodeUtf8(JSON.stringify(reply));
    return sealReply(this.#options.crypto, keys, { id, g, re: tagText(sealed), plaintext });
  }
}
