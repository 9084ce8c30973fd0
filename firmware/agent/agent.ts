// The loop that a device lives in: online, joined, saying what there is to say, and holding a line for what the server says.

import type { Address, Device } from "../device/types.js";
import type { Chain } from "../connect/chain.js";
import { LinkError } from "../link/error.js";
import { HttpClient } from "../link/http.js";
import { runJoin } from "../link/join.js";
import { SyncLink } from "../link/sync.js";
import type { ServerClock, SyncResult } from "../link/sync.js";
import { backoffMs, Wait } from "../link/wait.js";
import { parseJoinKey } from "../protocol/join.js";
import type { JoinKey } from "../protocol/join.js";
import type { Log } from "../protocol/log-line.js";
import { MAX_PLAINTEXT_ESP8266 } from "../protocol/sealed.js";
import type { Offer, SyncReply, SyncRequest } from "../protocol/sync-message.js";
import { takeConfiguration } from "../pins/configuration.js";
import type { Pins } from "../pins/pins.js";
import { loadMemory, saveMemory } from "../ota/memory.js";
import type { OtaStatus } from "../ota/status.js";
import type { Trial } from "../ota/trial.js";
import { UpdateError } from "../ota/updater.js";
import type { ImageConfig, Updater } from "../ota/updater.js";
import type { LogStore } from "../store/log-store.js";
import { raiseBoot } from "../telemetry/ledger.js";
import type { Outbox } from "../telemetry/outbox.js";
import { dropPending, memberFor, savePending, settle, targets } from "./membership.js";
import type { Member, Target } from "./membership.js";
import { Reporter } from "./request.js";

export interface AgentOptions {
  device: Device;
  store: LogStore;
  log: Log;
  chain: Chain;
  outbox: Outbox;
  pins: Pins;
  status: OtaStatus;
  trial: Trial;
  config: ImageConfig & { serverPin?: string };
  boot: number;
  /** Asks the person at the device whether the server's page shows this code. */
  compare(code: string): Promise<boolean>;
  /** The server's time is known for the first time in this run. */
  onClock(): void;
}

/** Longest hold (PROTOCOL section 1). */
const HOLD_S = 50;
/** While readings came less than this ago, the next ones are waited for without a hold: it would only be broken off. */
const BUSY_MS = 3_000;
/** Readings of one moment travel together. */
const GATHER_MS = 250;
const FIRST_BACKOFF_MS = 1_000;
const MOST_BACKOFF_MS = 60_000;
/** A refusal is somebody's decision: asked again only after a good while. */
const DENIED_BACKOFF_MS = 600_000;
/** Where there are several servers to try, how long one of them has before the next gets its turn. */
const TURN_MS = 600_000;
const UPDATE_BACKOFF_MS = 5_000;
const MOST_UPDATE_BACKOFF_MS = 600_000;
/** The signal is said again only when it changed by this much. */
const RSSI_STEP = 10; // dBm
/** After this long without an approval a join has expired at the server (24 h there). */
const PENDING_MS = 25 * 3_600_000;

export class Agent {
  /** Set once, after construction: the updater needs the agent's breathing space. */
  updater: Updater | undefined;
  private readonly options: AgentOptions;
  private readonly reporter: Reporter;
  private readonly wait: Wait;
  private boot: number;
  private sequence = 0;
  private address: Address | undefined;
  private clock: ServerClock | undefined;
  private failures = 0;
  private refused = false;
  private holding = false;
  private lastReadingMs = -BUSY_MS;
  // The server being talked to, and which of the known ones it is.
  private target: Target | undefined;
  private turn = 0;
  private choices = 1;
  private openedMs = 0;
  private member: Member | undefined;
  private settled = false; // a bound reply came from it
  private pendingSinceMs = 0;
  private http: HttpClient | undefined;
  private link: SyncLink | undefined;
  // The update being installed.
  private offer: Offer | undefined;
  private updateFailures = 0;
  private updateAfterMs = 0;

  constructor(options: AgentOptions) {
    this.options = options;
    this.boot = options.boot;
    this.wait = new Wait(options.device.timer);
    this.reporter = new Reporter(options);
    options.outbox.onAdd = () => {
      this.lastReadingMs = this.uptimeMs();
      this.onNews();
    };
    options.pins.onReport = () => this.onNews();
    const { s, o } = loadMemory(options.store);
    if (s === "installing") this.offer = o; // a restart came between: what flash holds by now is not fetched again
    if (options.pins.triggered) this.check();
  }

  /** The server's time in ms since 1970, 0 while it is not known. */
  now(): number {
    const { clock } = this;
    return clock ? Math.round(clock.t + this.uptimeMs() - clock.uptimeMs) : 0;
  }

  /** The connection to the network has ended. */
  onLost(reason: string): void {
    this.options.log("wifi", `connection lost: ${reason}`, "W");
    this.address = undefined;
    this.http?.close();
    this.wait.wake();
  }

  /** Goes on for ever. */
  async run(): Promise<never> {
    const { chain, log } = this.options;
    for (;;) {
      this.address = await chain.connect();
      this.failures = 0;
      while (this.address) {
        try {
          await this.turnOnce();
        } catch (error) {
          log("agent", String(error), "E");
          this.failures += 1;
        }
        if (this.address && this.failures > 0) await this.wait.sleep(this.backoffMs());
      }
    }
  }

  /** Breathing space of a download: what waits is sent. */
  async breathe(): Promise<void> {
    if (this.reporter.hasNews) await this.exchange(0);
  }

  private uptimeMs(): number {
    return this.options.device.system.uptimeMs();
  }

  private backoffMs(): number {
    if (this.refused) return backoffMs(1, DENIED_BACKOFF_MS, DENIED_BACKOFF_MS);
    return backoffMs(this.failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
  }

  private onNews(): void {
    if (this.holding) this.options.device.timer.set(() => this.holding && this.link?.cancel(), GATHER_MS);
    else if (this.failures === 0) this.wait.wake();
  }

  private async turnOnce(): Promise<void> {
    this.refused = false;
    if (this.choices > 1 && this.uptimeMs() - this.openedMs > TURN_MS) this.close(true);
    if (!this.link && !(await this.open())) {
      this.failures += 1;
      return;
    }
    const member = this.member!;
    if (member.pending) return this.waitForOwner(member);
    if (!this.hasNews() && this.uptimeMs() - this.lastReadingMs < BUSY_MS) {
      await this.wait.sleep(BUSY_MS);
      await this.wait.sleep(GATHER_MS);
      if (!this.address) return;
    }
    await this.exchange(this.hasNews() ? 0 : HOLD_S);
    if (this.offer && this.failures === 0 && this.uptimeMs() >= this.updateAfterMs)
      await this.update(this.offer);
  }

  private hasNews(): boolean {
    return this.reporter.hasNews || this.options.pins.triggered;
  }

  // --- who to talk to ---

  /** Chooses a server and who to be there; joins where the device is nobody yet. */
  private async open(): Promise<boolean> {
    const { store, log, config, device } = this.options;
    const list = targets(store, config.serverPin);
    this.choices = list.length;
    this.openedMs = this.uptimeMs();
    const target = list[this.turn % Math.max(1, list.length)];
    if (!target) {
      log("join", "state=failed reason=no server is known", "W");
      return false;
    }
    this.target = target;
    const { tcp, resolve, timer } = device;
    this.http = new HttpClient({ tcp, resolve, timer, host: target.host, port: target.port });
    this.member = memberFor(store, target) ?? (await this.join(target));
    if (!this.member) {
      this.turn += 1;
      return false;
    }
    device.system.mark("sync");
    this.settled = false;
    this.reporter.forget();
    this.link = new SyncLink({
      crypto: device.crypto,
      http: this.http,
      identity: this.member.identity,
      uptimeMs: () => device.system.uptimeMs(),
      maxPlaintext: MAX_PLAINTEXT_ESP8266,
    });
    return true;
  }

  private close(next: boolean): void {
    this.http?.close();
    this.link = undefined;
    if (next) this.turn += 1;
  }

  private async join(target: Target): Promise<Member | undefined> {
    const { store, log, config, device } = this.options;
    const joinKey = joinKeyOf(target);
    if (!joinKey) return this.joinFailed(`no usable join key for ${target.host}`);
    device.system.mark("join");
    const result = await runJoin({
      crypto: device.crypto,
      http: this.http!,
      timer: device.timer,
      joinKey,
      about: {
        mac: macText(device.system.mac()),
        chip: config.chip,
        product: config.product,
        v: config.version,
        rssi: device.station.rssi() ?? 0,
      },
      pin: target.pin,
      unpinned: target.tofu ? "trust" : "ask",
    });
    if (result.kind === "failed") return this.joinFailed(withStatus(result));
    const { identity, code, n, confirm } = result;
    const member: Member = { identity, url: target.url, pending: { n, code, ask: confirm } };
    savePending(store, member);
    this.pendingSinceMs = this.uptimeMs();
    log("join", `code=${code} state=pending`);
    return member;
  }

  private joinFailed(reason: string): undefined {
    const { trial, log } = this.options;
    trial.lastFailure = reason;
    log("join", `state=failed reason=${reason}`, "W");
  }

  private async waitForOwner(member: Member): Promise<void> {
    const { store, compare } = this.options;
    const pending = member.pending!;
    await this.exchange(pending.ask ? 0 : HOLD_S);
    if (!pending.ask || this.failures > 0 || this.member !== member) return;
    if (await compare(pending.code)) {
      pending.ask = false;
      return savePending(store, member);
    }
    dropPending(store);
    this.close(true);
    this.failures += 1;
  }

  // --- one sync ---

  private async exchange(waitS: number): Promise<void> {
    const { link, member } = this;
    if (!link || !member || link.busy) return;
    this.sequence += 1;
    let request = this.request(waitS, member, false);
    this.holding = waitS > 0 && !member.pending;
    let result: SyncResult;
    try {
      result = await link.send(request);
    } catch (error) {
      if ((error as { code?: string }).code !== "message-too-long") throw error;
      request = this.request(waitS, member, true);
      result = await link.send(request);
    } finally {
      this.holding = false;
    }
    if (this.link === link) this.take(result, request, member);
  }

  private request(waitS: number, member: Member, thin: boolean): SyncRequest {
    const request: Parameters<Reporter["fill"]>[0] = {
      b: this.boot,
      s: this.sequence,
      u: Math.round(this.uptimeMs()),
      t: this.now(),
      w: waitS,
    };
    if (member.pending) request.j = { n: member.pending.n };
    return this.reporter.fill(request, this.state(), member.pending !== undefined, thin);
  }

  private state(): Record<string, string | number> {
    const { config, device, chain } = this.options;
    const rssi = device.station.rssi() ?? 0;
    return {
      ssid: chain.ssid,
      ip: this.address?.address ?? "",
      rssi: Math.round(rssi / RSSI_STEP) * RSSI_STEP,
      mac: macText(device.system.mac()),
      chip: config.chip,
      product: config.product,
      layout: config.layout,
      version: config.version,
    };
  }

  private take(result: SyncResult, request: SyncRequest, member: Member): void {
    const { log, store, outbox } = this.options;
    if (result.kind === "failed") return this.onFailure(result, member);
    this.failures = 0;
    if (result.kind === "reply") this.onReply(result.reply, result.clock, request, member);
    else if (result.kind === "pending") this.pendingSinceMs = this.uptimeMs();
    else if (result.kind === "denied") this.onDenied(member);
    else {
      this.boot = raiseBoot(store, this.boot, result.hb);
      this.sequence = 0;
      outbox.rename(this.boot);
      log("sync", `stale: going on as boot ${this.boot}`, "W");
    }
  }

  /** Nothing that nobody authenticated may do more than make the device wait. */
  private onFailure(result: Extract<SyncResult, { kind: "failed" }>, member: Member): void {
    const { log, trial, store } = this.options;
    if (result.reason === "cancelled") return;
    this.failures += 1;
    trial.lastFailure = withStatus(result);
    log("sync", `failed: ${trial.lastFailure}`, "W");
    if (member.pending && this.uptimeMs() - this.pendingSinceMs > PENDING_MS) {
      log("join", `code=${member.pending.code} state=expired`, "W");
      dropPending(store);
    }
    this.close(true);
  }

  private onDenied(member: Member): void {
    const { log, store } = this.options;
    log("join", `code=${member.pending?.code ?? "none"} state=denied`, "W");
    if (member.pending) dropPending(store);
    this.failures = 1;
    this.refused = true;
    this.close(true);
  }

  private onReply(
    reply: SyncReply,
    clock: ServerClock | undefined,
    request: SyncRequest,
    member: Member,
  ): void {
    const { log, store, trial, pins } = this.options;
    if (member.pending?.ask) return; // the person at the device has not said yet that this is the right server
    if (!this.settled) {
      settle(store, member, this.target!);
      this.settled = true;
      if (member.pending) log("join", `code=${member.pending.code} state=approved`);
      member.pending = undefined;
      log("sync", `bound reply from ${this.target!.host}:${this.target!.port} as ${member.identity.id}`);
    }
    this.reporter.acknowledge(reply);
    if (clock) this.onClock(clock);
    trial.onBoundReply();
    if (reply.c && reply.c.n !== request.c) {
      takeConfiguration(store, reply.c);
      log("config", `serial number ${reply.c.n}`);
    }
    const carried = pins.takeTrigger(request.p);
    if (reply.w || reply.p) pins.take(reply.w ?? [], reply.p ?? 0);
    if (carried !== undefined) this.choose(carried, reply.u);
    else if (pins.triggered) this.check();
    if (this.offer && !reply.u) this.giveUp("withdrawn");
  }

  private onClock(clock: ServerClock): void {
    const first = !this.clock;
    this.clock = clock;
    if (first) this.options.onClock();
  }

  // --- updates ---

  /** The trigger is raised; the next request says so, and its reply holds the offer, if there is one. */
  private check(): void {
    const { status } = this.options;
    status.cause = "pin";
    if (status.current.state !== "checking") status.set("checking");
  }

  private choose(wanted: string, offer: Offer | undefined): void {
    const { status } = this.options;
    if (!offer) status.set("idle", { reason: "nothing on offer" });
    else if (wanted !== "1" && wanted !== offer.v)
      status.set("failed", { version: wanted, reason: `not on offer; ${offer.v} is` });
    else this.offer = offer;
  }

  private async update(offer: Offer): Promise<void> {
    const { device, log } = this.options;
    device.system.mark("ota");
    try {
      await this.updater!.install(offer, this.http!);
    } catch (error) {
      this.http?.close();
      device.system.mark("sync");
      if (error instanceof UpdateError) return this.giveUp(error.code);
      if (!(error instanceof LinkError)) throw error;
      this.updateFailures += 1;
      this.updateAfterMs =
        this.uptimeMs() + backoffMs(this.updateFailures, UPDATE_BACKOFF_MS, MOST_UPDATE_BACKOFF_MS);
      log("ota", `interrupted: ${error.message}`, "W");
    }
  }

  private giveUp(reason: string): void {
    const { store, status } = this.options;
    const version = this.offer?.v;
    this.offer = undefined;
    this.updateFailures = 0;
    saveMemory(store, { ...loadMemory(store), s: "" });
    status.set("failed", { version, reason });
  }
}

function joinKeyOf(target: Target): JoinKey | undefined {
  try {
    return target.joinKey ? parseJoinKey(target.joinKey) : undefined;
  } catch {
    return undefined;
  }
}

function withStatus({ reason, status }: { reason: string; status?: number }): string {
  return status ? `${reason} (${status})` : reason;
}

function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join(":");
}
