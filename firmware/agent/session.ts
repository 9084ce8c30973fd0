// The talk with one server, out of those that are known, and who the device is there: from the choice over the join to the
// owner's approval.

import { HttpClient } from "../link/http.js";
import type { JoinResult } from "../link/join.js";
import { SyncLink } from "../link/sync.js";
import type { LineListener, Terminal } from "../connect/terminal.js";
import type { Trial } from "../ota/trial.js";
import { MAX_PLAINTEXT_ESP8266 } from "../protocol/sealed.js";
import type { Base } from "../store/base.js";
import { joinAt } from "./joining.js";
import { dropPending, memberFor, savePending, settle, targets } from "./membership.js";
import type { Member, Target } from "./membership.js";

/** Where there are several servers to try, how long one of them has before the next gets its turn. */
const TURN_MS = 600_000;
/** After this long without an approval a join has expired at the server (24 h there). */
const PENDING_MS = 25 * 3_600_000;
/** How long a person at the device has to compare a code. */
const COMPARE_MS = 600_000;

/** Each call of `open` or `compare` is answered by one of these, once, with little else on the stack. */
export interface SessionListener {
  /** There is a link, and somebody to be; `joined`: by a join just now, whose code was not shown before. */
  onReady(joined: boolean): void;
  /** No server is known, or this one does not take the device. */
  onNobody(): void;
  /** The join was no longer wanted. */
  onBrokenOff(): void;
  /** `same`: it is the right server; else it is forgotten. */
  onCompared(same: boolean): void;
}

export class Session implements LineListener {
  http: HttpClient | undefined;
  /** Who the device is there. */
  member: Member | undefined;
  link: SyncLink | undefined;
  /** A bound reply came. */
  settled = false;
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly trial: Trial;
  private readonly wanted: () => boolean;
  private readonly listener: SessionListener;
  private target: Target | undefined; // until it has settled
  private turn = 0; // of the known servers
  private named = false; // it is the turn of the one that a person entered
  private choices = 1;
  private openedMs = 0;
  private pendingSinceMs = 0;
  /** The code of a pending join was said since the start. */
  private shown = false;

  /** @param wanted false: a join that is under way is given up */
  constructor(
    base: Base,
    { terminal, trial }: { terminal: Terminal; trial: Trial },
    wanted: () => boolean,
    listener: SessionListener,
  ) {
    this.base = base;
    this.terminal = terminal;
    this.trial = trial;
    this.wanted = wanted;
    this.listener = listener;
  }

  /** Chooses a server and who to be there; joins where the device is nobody yet. `again`: it failed before, and the log has it. */
  async open(again: boolean): Promise<void> {
    await undefined; // begins on an empty stack
    const { store, log, config, device } = this.base;
    const list = targets(store, config.serverPin);
    this.choices = list.length;
    this.openedMs = this.uptimeMs();
    if (this.named) this.turn = Math.max(0, list.findIndex(isEntered));
    this.named = false;
    this.target = list[this.turn % Math.max(1, list.length)];
    if (!this.target) {
      if (!again) log("join", "state=failed reason=no server is known", "W");
      return this.listener.onNobody();
    }
    const { tcp, resolve, timer } = device;
    const { host, port } = this.target;
    this.http = new HttpClient({ tcp, resolve, timer, host, port });
    this.member = memberFor(store, this.target);
    if (!this.member) return void this.join(this.target);
    this.begin(this.member, false);
  }

  /** Ends the talk; the next may be with the next of the known servers. */
  close(next: boolean): void {
    this.http?.close();
    this.http = this.target = this.member = this.link = undefined;
    if (next) this.turn += 1;
  }

  /** The next talk is with whichever server comes first. */
  restart(): void {
    this.close(false);
    this.turn = 0;
  }

  /** What a person at the device said of servers; `named`: one is stored now, and comes before one of the image that is tried still. */
  reconsider(named: boolean): void {
    this.close(false);
    this.shown = !named; // named: its code is said anew
    this.named = named;
  }

  /** Where there are others, and this one had its time, it is their turn. */
  giveTurn(): void {
    if (this.choices > 1 && this.uptimeMs() - this.openedMs > TURN_MS) this.close(true);
  }

  private begin(member: Member, joined: boolean): void {
    const { log, device } = this.base;
    const { pending } = member;
    if (pending && !this.shown) {
      log("join", `code=${pending.code} state=pending`);
      if (!pending.ask)
        this.terminal.print(
          "Compare this code with the one on the server's page. Enter names another server.\n",
        );
    }
    this.shown = true;
    device.system.mark("sync");
    this.settled = false;
    this.link = new SyncLink({
      crypto: device.crypto,
      http: this.http!,
      identity: member.identity,
      uptimeMs: device.system.uptimeMs,
      maxPlaintext: MAX_PLAINTEXT_ESP8266,
    });
    this.listener.onReady(joined);
  }

  private async join(target: Target): Promise<void> {
    await undefined; // a turn of its own: the stack has 256 slots, and a join goes deep
    const joining = joinAt(this.base, this.http!, target, this.wanted);
    if (!joining) return this.joinFailed(`no usable join key for ${target.host}`);
    void joining.then((result) => this.joined(result)); // not awaited: this function would wait as well
  }

  private joined(result: JoinResult): void {
    if (result.kind === "failed") return this.joinFailed(withStatus(result));
    const { identity, code, n, confirm } = result;
    this.member = { identity, url: this.target!.url, pending: { n, code, ask: confirm } };
    savePending(this.base.store, this.member);
    this.pendingSinceMs = this.uptimeMs();
    this.shown = false;
    this.begin(this.member, true);
  }

  private joinFailed(reason: string): void {
    const { listener } = this;
    if (!this.wanted()) return listener.onBrokenOff();
    this.trial.lastFailure = reason;
    this.base.log("join", `state=failed reason=${reason}`, "W");
    this.close(true);
    listener.onNobody();
  }

  /** Without a pin, the person at the device says whether this is the right server, before its pin is kept. */
  compare(code: string): void {
    const prompt = `Does the server's page show ${code}? (y/n): `;
    this.terminal.ask({ prompt, firstMs: COMPARE_MS, idleMs: COMPARE_MS }, this);
  }

  onLine(answer: string | undefined): void {
    const { member, listener } = this;
    const same = member?.pending !== undefined && (answer === "y" || answer === "Y" || answer === "yes");
    if (same) {
      member.pending!.ask = false;
      savePending(this.base.store, member);
      this.terminal.print("Now approve it on that page.\n");
    } else {
      dropPending(this.base.store);
      this.close(true);
      this.trial.lastFailure = "";
      this.terminal.print("Not this server, then. Press Enter to set up another.\n");
    }
    listener.onCompared(same);
  }

  // --- what a sync said of the membership ---

  /** The owner has not decided. */
  onPending(): void {
    this.pendingSinceMs = this.uptimeMs();
  }

  onDenied(): void {
    const { log, store } = this.base;
    const pending = this.member?.pending;
    log("join", `code=${pending?.code ?? "none"} state=denied`, "W");
    if (pending) dropPending(store);
    this.close(true);
  }

  /** No reply, or none that can be trusted: nothing that nobody authenticated may do more than make the device wait. */
  onFailure(failure: { reason: string; status?: number }): void {
    const { log, store } = this.base;
    const pending = this.member?.pending;
    this.trial.lastFailure = withStatus(failure);
    log("sync", `failed: ${withStatus(failure)}`, "W");
    if (pending && this.uptimeMs() - this.pendingSinceMs > PENDING_MS) {
      log("join", `code=${pending.code} state=expired`, "W");
      dropPending(store);
    }
    if (this.choices > 1 || pending) this.close(true);
  }

  /** The first bound reply: this server, and this identity there, are the ones in force. */
  settle(): void {
    const { store, log } = this.base;
    const [member, target] = [this.member!, this.target!];
    settle(store, member, target);
    this.settled = true;
    this.target = undefined; // 300 bytes that nobody asks for any more
    if (member.pending) log("join", `code=${member.pending.code} state=approved`);
    member.pending = undefined;
    log("sync", `bound reply from ${target.host}:${target.port} as ${member.identity.id}`);
  }

  private uptimeMs(): number {
    return this.base.device.system.uptimeMs();
  }
}

function isEntered({ source }: Target): boolean {
  return source === "entered";
}

function withStatus({ reason, status }: { reason: string; status?: number }): string {
  return status ? `${reason} (${status})` : reason;
}
