// The loop that a device lives in: online, joined, saying what there is to say, and holding a line for what the server says.
//
// It is the hand of a clock, not a long function: each async function that waits costs the device 1.4 KB of its 32, so at
// most one of them waits at a time, and what comes next is decided anew after each.

import type { Address } from "../device/types.js";
import type { Chain, ChainListener } from "../connect/chain.js";
import { wordsForServer } from "../connect/screen.js";
import type { SerialStep, ServerAsker } from "../connect/serial-step.js";
import type { EnterListener, Terminal } from "../connect/terminal.js";
import { backoffMs } from "../link/backoff.js";
import type { ServerClock, SyncResult } from "../link/sync.js";
import type { OtaStatus } from "../ota/status.js";
import type { Trial } from "../ota/trial.js";
import type { UpdateListener } from "../ota/updater.js";
import { takeConfiguration } from "../pins/configuration.js";
import { STARTUP_PIN } from "../pins/pins.js";
import type { Pins, PinsListener } from "../pins/pins.js";
import type { SyncReply, SyncRequest } from "../protocol/sync-message.js";
import type { Base } from "../store/base.js";
import type { Start } from "../telemetry/causes.js";
import { raiseBoot } from "../telemetry/ledger.js";
import type { Outbox, OutboxListener } from "../telemetry/outbox.js";
import type { ServerTime } from "../telemetry/server-time.js";
import { hasFreshServer } from "./membership.js";
import { Reporter } from "./request.js";
import { Session } from "./session.js";
import type { SessionListener } from "./session.js";
import { Updates } from "./updates.js";

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
/** As after so many failures: whoever said no is not asked again at once. */
const LONG_FAILING = 7;

/** What the agent puts to work. */
export interface Parts {
  chain: Chain;
  terminal: Terminal;
  serial: SerialStep;
  outbox: Outbox;
  pins: Pins;
  status: OtaStatus;
  trial: Trial;
  time: ServerTime;
  start: Start;
  boot: number;
}

export class Agent
  implements
    ChainListener,
    OutboxListener,
    PinsListener,
    UpdateListener,
    SessionListener,
    ServerAsker,
    EnterListener
{
  private readonly base: Base;
  private readonly parts: Parts;
  private readonly session: Session;
  private readonly reporter: Reporter;
  private readonly updates: Updates;
  private readonly onTick: () => void;
  private timer: unknown;
  private working = false; // one of the async functions waits
  private holding = false;
  private gathering = false; // a tick is due for what came in
  private breaking = false; // the hold is about to be broken off
  private boot: number;
  private sequence = 0;
  private address: Address | undefined;
  private failures = 0;
  private refused = false;
  private lastReadingMs = -BUSY_MS;
  /** While no server has taken this device: a person pressed Enter, to name one. */
  private asked = false;
  /** They did not after all: one attempt is let through, or noise on the line could keep the device away for ever. */
  private patient = false;

  constructor(base: Base, parts: Parts) {
    this.base = base;
    this.parts = parts;
    this.boot = parts.boot;
    this.onTick = () => this.tick();
    this.session = new Session(base, parts, () => this.address !== undefined && !this.asked, this);
    this.reporter = new Reporter(base, parts);
    parts.outbox.listener = parts.pins.listener = this;
    this.updates = new Updates(base, parts.status, parts.pins);
  }

  /** Goes on for ever. */
  run(): void {
    this.parts.chain.connect(this);
  }

  onOnline(address: Address): void {
    this.address = address;
    this.failures = 0;
    if (!this.working && hasFreshServer(this.base.store)) this.session.restart();
    this.schedule(0);
  }

  onLost(reason: string): void {
    this.base.log("wifi", `connection lost: ${reason}`, "W");
    this.address = undefined;
    this.asked = false;
    this.session.http?.close();
    this.base.device.timer.set(() => this.run(), 0);
  }

  onReading(): void {
    this.lastReadingMs = this.uptimeMs();
    this.onReport();
  }

  onReport(): void {
    if (this.holding && !this.breaking) {
      this.breaking = true;
      this.base.device.timer.set(() => this.holding && this.session.link?.cancel(), GATHER_MS);
    } else if (!this.working && !this.gathering && this.address && this.failures === 0) {
      this.gathering = true; // readings that come faster than this must not put it off for ever
      this.schedule(GATHER_MS);
    }
  }

  private uptimeMs(): number {
    return this.base.device.system.uptimeMs();
  }

  private schedule(ms: number): void {
    const { timer } = this.base.device;
    timer.clear(this.timer);
    this.timer = timer.set(this.onTick, ms);
  }

  /** What one of the async functions waited for is over. */
  private finish(): void {
    this.working = false;
    if (!this.address) return;
    if (this.asked) this.schedule(0);
    else if (this.refused) this.schedule(backoffMs(1, DENIED_BACKOFF_MS, DENIED_BACKOFF_MS));
    else if (this.failures > 0) {
      const ms = backoffMs(this.failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
      if (this.session.member) this.schedule(ms);
      else this.offerSetup(ms);
    } else this.schedule(0);
  }

  /** No server takes this device: until the next attempt, and in it, a person at the UART may name another. */
  private offerSetup(ms: number): void {
    const { terminal, trial } = this.parts;
    if (this.failures === 1)
      terminal.print(`${wordsForServer(trial.lastFailure)}Press Enter to set up the server.\n`);
    terminal.enter = this;
    this.schedule(ms);
  }

  /** Enter is heard while the device is nobody's, whatever it does meanwhile. */
  private listen(): void {
    this.parts.terminal.enter = this.patient ? undefined : this;
  }

  /** What is under way ends, and what comes next is the question. */
  onEnter(): void {
    const { link, http } = this.session;
    this.parts.terminal.enter = undefined;
    this.asked = true;
    if (!this.working) this.schedule(0);
    else if (link) link.cancel();
    else http?.close(); // a join
  }

  onServerAsked(named: boolean): void {
    this.asked = this.working = false;
    this.patient = !named;
    this.failures = 0; // a person is there: what comes of it is said anew
    this.session.reconsider(named);
    if (this.address) this.schedule(0);
  }

  /** Begins what comes next. */
  private tick(): void {
    this.timer = undefined;
    this.gathering = false;
    if (this.working || !this.address) return;
    this.working = true;
    this.refused = false;
    const { session } = this;
    session.giveTurn();
    if (this.asked) return this.parts.serial.nameServer(this);
    if (!session.link) {
      this.listen();
      return void session.open(this.failures > 0);
    }
    const { pending } = session.member!;
    const news = this.reporter.hasNews || this.parts.pins.triggered;
    if (pending) void this.exchange(pending.ask ? 0 : HOLD_S);
    else if (news && !(this.updates.installing && this.failures > 0)) void this.exchange(0);
    else if (session.settled && this.updates.due) this.updates.step(session.http!, this);
    else if (this.uptimeMs() - this.lastReadingMs < BUSY_MS) {
      this.working = false;
      this.schedule(BUSY_MS);
    } else void this.exchange(HOLD_S);
  }

  onReady(joined: boolean): void {
    if (joined) {
      this.failures = 0; // this server answered: its person waits for the code that the device shows
      this.patient = false;
    }
    if (this.session.member!.pending) this.listen();
    else this.parts.terminal.enter = undefined;
    this.reporter.forget();
    this.finish();
  }

  onNobody(): void {
    this.patient = false;
    this.failures += 1;
    this.finish();
  }

  onBrokenOff(): void {
    this.finish();
  }

  onCompared(same: boolean): void {
    if (!same) this.failures = LONG_FAILING;
    this.finish();
  }

  // --- one sync ---

  private async exchange(waitS: number): Promise<void> {
    await undefined; // XS's stack holds 256 slots, some 8 calls of async functions: this begins on an empty one
    const { session } = this;
    const { link, member } = session;
    if (!link || !member) return this.finish();
    this.sequence += 1;
    this.holding = waitS > 0 && !member.pending;
    if (member.pending) {
      this.listen();
      this.patient = false;
    }
    try {
      let request = this.request(waitS, member.pending?.n, false);
      let result: SyncResult | undefined;
      try {
        result = await link.send(request);
      } catch (error) {
        if ((error as { code?: unknown }).code !== "message-too-long") throw error;
      }
      if (!result) {
        request = this.request(waitS, member.pending?.n, true);
        result = await link.send(request);
      }
      this.holding = this.breaking = false;
      // What follows is called from here one by one: whoever writes to the store needs most of the stack.
      const reply = session.link === link ? this.take(result) : undefined;
      if (reply) {
        if (!session.settled) this.settle();
        this.reporter.acknowledge(reply);
        this.parts.trial.onBoundReply();
        this.configure(reply, request.c);
        this.updates.answerTrigger(reply, request.p);
        this.parts.pins.take(reply.w ?? [], reply.p ?? 0);
        this.updates.lookAhead(reply);
      }
    } catch (error) {
      this.base.log("sync", String(error), "E"); // a fault of ours must not end in a reset, again and again
      this.failures += 1;
    }
    this.holding = this.breaking = false;
    const { pending } = member;
    if (pending?.ask && !this.asked && session.link === link && this.failures === 0)
      session.compare(pending.code);
    else this.finish();
  }

  private request(waitS: number, pending: string | undefined, thin: boolean): SyncRequest {
    const { boot, sequence, reporter, address } = this;
    return reporter.request({ boot, sequence, waitS, address, pending, thin });
  }

  /** The reply, where it may be acted on. */
  private take(result: SyncResult): SyncReply | undefined {
    const { session } = this;
    if (result.kind === "failed") {
      if (result.reason === "cancelled") return undefined;
      this.failures += 1;
      session.onFailure(result);
      return undefined;
    }
    this.failures = 0;
    if (result.kind === "pending") session.onPending();
    else if (result.kind === "denied") {
      this.refused = true;
      session.onDenied();
    } else if (result.kind === "stale") this.onStale(result.hb);
    // Unless the person at the device has still to say that this is the right server:
    else if (!session.member!.pending?.ask) {
      if (result.clock) this.onClock(result.clock);
      return result.reply;
    }
    return undefined;
  }

  private settle(): void {
    this.parts.terminal.enter = undefined;
    this.session.settle();
  }

  private onStale(highest: number): void {
    this.boot = raiseBoot(this.base.store, this.boot, highest);
    this.sequence = 0;
    this.parts.outbox.rename(this.boot);
    this.base.log("sync", `stale: going on as boot ${this.boot}`, "W");
  }

  private configure({ c }: SyncReply, applied: number): void {
    if (!c || c.n === applied) return;
    takeConfiguration(this.base.store, c);
    this.base.log("config", `serial number ${c.n}`);
  }

  private onClock(clock: ServerClock): void {
    const { time, pins, start } = this.parts;
    const first = !time.point;
    time.point = clock;
    if (!first) return;
    const { config, device } = this.base;
    const { cause, previousUptimeMs } = start;
    const rssi = device.station.rssi() ?? 0;
    const report = { version: config.version, time: time.at(0), cause, previousUptimeMs, rssi };
    pins.report(STARTUP_PIN, JSON.stringify(report));
  }

  onUpdateStep(error: unknown): void {
    if (this.updates.ended(error)) this.failures = 0;
    else this.session.http?.close();
    this.finish();
  }
}
