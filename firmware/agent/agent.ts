// The loop that a device lives in: online, joined, saying what there is to say, and holding a line for what the server says.
//
// It is the hand of a clock, not a long function: each async function that waits costs the device 1.4 KB of its 32, so at
// most one of them waits at a time, and what comes next is decided anew after each.

import type { Address } from "../device/types.js";
import type { Chain, ChainListener } from "../connect/chain.js";
import { wordsForServer } from "../connect/screen.js";
import type { SerialStep, ServerAsker } from "../connect/serial-step.js";
import type { EnterListener, LineListener, Terminal } from "../connect/terminal.js";
import { backoffMs } from "../link/backoff.js";
import { HttpClient } from "../link/http.js";
import type { JoinResult } from "../link/join.js";
import { SyncLink } from "../link/sync.js";
import type { ServerClock, SyncResult } from "../link/sync.js";
import type { OtaStatus } from "../ota/status.js";
import type { Trial } from "../ota/trial.js";
import type { UpdateListener } from "../ota/updater.js";
import { takeConfiguration } from "../pins/configuration.js";
import { STARTUP_PIN } from "../pins/pins.js";
import type { Pins, PinsListener } from "../pins/pins.js";
import { MAX_PLAINTEXT_ESP8266 } from "../protocol/sealed.js";
import type { SyncReply, SyncRequest } from "../protocol/sync-message.js";
import type { Base } from "../store/base.js";
import type { Start } from "../telemetry/causes.js";
import { raiseBoot } from "../telemetry/ledger.js";
import type { Outbox, OutboxListener } from "../telemetry/outbox.js";
import type { ServerTime } from "../telemetry/server-time.js";
import { joinAt } from "./joining.js";
import { dropPending, hasFreshServer, memberFor, savePending, settle, targets } from "./membership.js";
import type { Member, Target } from "./membership.js";
import { Reporter } from "./request.js";
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
/** Where there are several servers to try, how long one of them has before the next gets its turn. */
const TURN_MS = 600_000;
/** After this long without an approval a join has expired at the server (24 h there). */
const PENDING_MS = 25 * 3_600_000;
/** As after so many failures: whoever said no is not asked again at once. */
const LONG_FAILING = 7;
/** How long a person at the device has to compare a code. */
const COMPARE_MS = 600_000;

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
    LineListener,
    ServerAsker,
    EnterListener
{
  private readonly base: Base;
  private readonly parts: Parts;
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
  // The server being talked to, which of the known ones it is, and who to be there.
  private http: HttpClient | undefined;
  private target: Target | undefined; // until it has settled
  private turn = 0;
  private choices = 1;
  private openedMs = 0;
  private member: Member | undefined;
  private link: SyncLink | undefined;
  private settled = false; // a bound reply came
  private pendingSinceMs = 0;
  /** The code of a pending join was said since the start. */
  private shown = false;
  /** While no server has taken this device: a person pressed Enter, to name one. */
  private asked = false;
  /** They did not after all: one attempt is let through, or noise on the line could keep the device away for ever. */
  private patient = false;

  constructor(base: Base, parts: Parts) {
    this.base = base;
    this.parts = parts;
    this.boot = parts.boot;
    this.onTick = () => this.tick();
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
    if (!this.working && hasFreshServer(this.base.store)) {
      this.close(false);
      this.turn = 0;
    }
    this.schedule(0);
  }

  onLost(reason: string): void {
    this.base.log("wifi", `connection lost: ${reason}`, "W");
    this.address = undefined;
    this.asked = false;
    this.http?.close();
    this.base.device.timer.set(() => this.run(), 0);
  }

  onReading(): void {
    this.lastReadingMs = this.uptimeMs();
    this.onReport();
  }

  onReport(): void {
    if (this.holding && !this.breaking) {
      this.breaking = true;
      this.base.device.timer.set(() => this.holding && this.link?.cancel(), GATHER_MS);
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
      if (this.member) this.schedule(ms);
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
    if (!this.patient) this.parts.terminal.enter = this;
    this.patient = false;
  }

  /** What is under way ends, and what comes next is the question. */
  onEnter(): void {
    this.parts.terminal.enter = undefined;
    this.asked = true;
    if (!this.working) return this.schedule(0);
    this.link?.cancel();
    if (!this.link) this.http?.close(); // a join
  }

  onServerAsked(named: boolean): void {
    this.asked = this.working = false;
    this.shown = this.patient = !named; // named: its code is said anew
    this.failures = 0; // a person is there: what comes of it is said anew
    this.close(false);
    const { store, config } = this.base;
    // Before one of the image that is tried still:
    if (named) this.turn = Math.max(0, targets(store, config.serverPin).findIndex(isEntered));
    if (this.address) this.schedule(0);
  }

  /** Begins what comes next. */
  private tick(): void {
    this.timer = undefined;
    this.gathering = false;
    if (this.working || !this.address) return;
    this.working = true;
    this.refused = false;
    if (this.choices > 1 && this.uptimeMs() - this.openedMs > TURN_MS) this.close(true);
    if (this.asked) return this.parts.serial.nameServer(this);
    if (!this.link) return void this.open();
    const { member } = this;
    const news = this.reporter.hasNews || this.parts.pins.triggered;
    if (member!.pending) void this.exchange(member!.pending.ask ? 0 : HOLD_S);
    else if (news && !(this.updates.installing && this.failures > 0)) void this.exchange(0);
    else if (this.settled && this.updates.due) this.updates.step(this.http!, this);
    else if (this.uptimeMs() - this.lastReadingMs < BUSY_MS) {
      this.working = false;
      this.schedule(BUSY_MS);
    } else void this.exchange(HOLD_S);
  }

  // --- who to talk to ---

  /** Chooses a server and who to be there; joins where the device is nobody yet. */
  private async open(): Promise<void> {
    await undefined; // begins on an empty stack
    const { store, log, config, device } = this.base;
    const list = targets(store, config.serverPin);
    this.choices = list.length;
    this.openedMs = this.uptimeMs();
    this.target = list[this.turn % Math.max(1, list.length)];
    if (!this.target) {
      if (this.failures === 0) log("join", "state=failed reason=no server is known", "W");
      return this.fail();
    }
    const { tcp, resolve, timer } = device;
    const { host, port } = this.target;
    this.http = new HttpClient({ tcp, resolve, timer, host, port });
    this.member = memberFor(store, this.target);
    if (!this.member) return void this.join(this.target);
    this.begin(this.member);
  }

  private begin(member: Member): void {
    const { log, device } = this.base;
    const { pending } = member;
    this.parts.terminal.enter = pending && !this.patient ? this : undefined;
    if (pending && !this.shown) {
      log("join", `code=${pending.code} state=pending`); // asked before a restart
      if (!pending.ask)
        this.parts.terminal.print(
          "Compare this code with the one on the server's page. Enter names another server.\n",
        );
    }
    this.shown = true;
    device.system.mark("sync");
    this.settled = false;
    this.reporter.forget();
    this.link = new SyncLink({
      crypto: device.crypto,
      http: this.http!,
      identity: member.identity,
      uptimeMs: device.system.uptimeMs,
      maxPlaintext: MAX_PLAINTEXT_ESP8266,
    });
    this.finish();
  }

  private fail(): void {
    this.failures += 1;
    this.finish();
  }

  /** Ends the talk; the next may be with the next of the known servers. */
  private close(next: boolean): void {
    this.http?.close();
    this.http = this.target = this.member = this.link = undefined;
    if (next) this.turn += 1;
  }

  private async join(target: Target): Promise<void> {
    await undefined; // a turn of its own: the stack has 256 slots, and a join goes deep
    const joining = joinAt(this.base, this.http!, target, () => this.address !== undefined && !this.asked);
    if (!joining) return this.joinFailed(`no usable join key for ${target.host}`);
    this.listen();
    void joining.then((result) => this.joined(result)); // not awaited: this function would wait as well
  }

  private joined(result: JoinResult): void {
    if (result.kind === "failed") return this.joinFailed(withStatus(result));
    const { store } = this.base;
    const { identity, code, n, confirm } = result;
    this.member = { identity, url: this.target!.url, pending: { n, code, ask: confirm } };
    savePending(store, this.member);
    this.pendingSinceMs = this.uptimeMs();
    this.shown = false;
    this.failures = 0; // this server answered: its person waits for the code that the device shows
    this.begin(this.member);
  }

  private joinFailed(reason: string): void {
    if (this.asked) return this.finish(); // broken off
    this.parts.trial.lastFailure = reason;
    this.base.log("join", `state=failed reason=${reason}`, "W");
    this.close(true);
    this.fail();
  }

  /** Without a pin, the person at the device says whether this is the right server, before its pin is kept. */
  private compare(code: string): void {
    const prompt = `Does the server's page show ${code}? (y/n): `;
    this.parts.terminal.ask({ prompt, firstMs: COMPARE_MS, idleMs: COMPARE_MS }, this);
  }

  onLine(answer: string | undefined): void {
    const { member } = this;
    if (member?.pending && (answer === "y" || answer === "Y" || answer === "yes")) {
      member.pending.ask = false;
      savePending(this.base.store, member);
      return this.finish();
    }
    dropPending(this.base.store);
    this.close(true);
    this.parts.trial.lastFailure = "";
    this.parts.terminal.print("Not this server, then. Press Enter to set up another.\n");
    this.failures = LONG_FAILING;
    this.finish();
  }

  // --- one sync ---

  private async exchange(waitS: number): Promise<void> {
    await undefined; // XS's stack holds 256 slots, some 8 calls of async functions: this begins on an empty one
    const { link, member } = this;
    if (!link || !member) return this.finish();
    this.sequence += 1;
    this.holding = waitS > 0 && !member.pending;
    if (member.pending) this.listen();
    try {
      let request = this.request(waitS, member, false);
      let result: SyncResult | undefined;
      try {
        result = await link.send(request);
      } catch (error) {
        if ((error as { code?: unknown }).code !== "message-too-long") throw error;
      }
      if (!result) {
        request = this.request(waitS, member, true);
        result = await link.send(request);
      }
      this.holding = this.breaking = false;
      // What follows is called from here one by one: whoever writes to the store needs most of the stack.
      const reply = this.link === link ? this.take(result, member) : undefined;
      if (reply) {
        if (!this.settled) this.settle(member, this.target!);
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
    if (pending?.ask && !this.asked && this.link === link && this.failures === 0) this.compare(pending.code);
    else this.finish();
  }

  private request(waitS: number, member: Member, thin: boolean): SyncRequest {
    const { boot, sequence, reporter, address } = this;
    return reporter.request({ boot, sequence, waitS, address, pending: member.pending?.n, thin });
  }

  /** The reply, where it may be acted on. */
  private take(result: SyncResult, member: Member): SyncReply | undefined {
    if (result.kind === "failed") {
      this.onFailure(result, member);
      return undefined;
    }
    this.failures = 0;
    if (result.kind === "pending") this.pendingSinceMs = this.uptimeMs();
    else if (result.kind === "denied") this.onDenied(member);
    else if (result.kind === "stale") this.onStale(result.hb);
    // Unless the person at the device has still to say that this is the right server:
    else if (!member.pending?.ask) {
      if (result.clock) this.onClock(result.clock);
      return result.reply;
    }
    return undefined;
  }

  /** Nothing that nobody authenticated may do more than make the device wait. */
  private onFailure(result: Extract<SyncResult, { kind: "failed" }>, member: Member): void {
    const { log, store } = this.base;
    if (result.reason === "cancelled") return;
    this.failures += 1;
    this.parts.trial.lastFailure = withStatus(result);
    log("sync", `failed: ${withStatus(result)}`, "W");
    if (member.pending && this.uptimeMs() - this.pendingSinceMs > PENDING_MS) {
      log("join", `code=${member.pending.code} state=expired`, "W");
      dropPending(store);
    }
    if (this.choices > 1 || member.pending) this.close(true);
  }

  private onDenied(member: Member): void {
    const { log, store } = this.base;
    log("join", `code=${member.pending?.code ?? "none"} state=denied`, "W");
    if (member.pending) dropPending(store);
    this.refused = true;
    this.close(true);
  }

  private onStale(highest: number): void {
    this.boot = raiseBoot(this.base.store, this.boot, highest);
    this.sequence = 0;
    this.parts.outbox.rename(this.boot);
    this.base.log("sync", `stale: going on as boot ${this.boot}`, "W");
  }

  private settle(member: Member, target: Target): void {
    const { store, log } = this.base;
    settle(store, member, target);
    this.settled = true;
    this.target = undefined; // 300 bytes that nobody asks for any more
    if (member.pending) {
      this.parts.terminal.enter = undefined;
      log("join", `code=${member.pending.code} state=approved`);
    }
    member.pending = undefined;
    log("sync", `bound reply from ${target.host}:${target.port} as ${member.identity.id}`);
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
    else this.http?.close();
    this.finish();
  }
}

function isEntered({ source }: Target): boolean {
  return source === "entered";
}

function withStatus({ reason, status }: { reason: string; status?: number }): string {
  return status ? `${reason} (${status})` : reason;
}
