// What the agent does about updates: from the raised trigger to the offer, and one step of installing it after another.

import { backoffMs } from "../link/backoff.js";
import { LinkError } from "../link/error.js";
import type { HttpClient } from "../link/http.js";
import { loadMemory, saveMemory } from "../ota/memory.js";
import type { OtaStatus } from "../ota/status.js";
import { UpdateError, Updater } from "../ota/updater.js";
import type { UpdateListener } from "../ota/updater.js";
import type { Pins } from "../pins/pins.js";
import type { Offer, SyncReply } from "../protocol/sync-message.js";
import type { Base } from "../store/base.js";

const FIRST_BACKOFF_MS = 2_000;
const MOST_BACKOFF_MS = 600_000;

export class Updates {
  private readonly base: Base;
  private readonly status: OtaStatus;
  private readonly pins: Pins;
  private offer: Offer | undefined;
  private updater: Updater | undefined;
  private failures = 0;
  private afterMs = 0;

  constructor(base: Base, status: OtaStatus, pins: Pins) {
    this.base = base;
    this.status = status;
    this.pins = pins;
    const { s, o } = loadMemory(base.store);
    if (s === "installing") this.offer = o; // a restart came between: what flash holds by now is not fetched again
    if (pins.triggered) this.check();
  }

  /** Between two steps of an installation. */
  get installing(): boolean {
    return this.updater !== undefined;
  }

  /** There is something to install, and no pause after a failure. */
  get due(): boolean {
    return this.offer !== undefined && this.base.device.system.uptimeMs() >= this.afterMs;
  }

  /** The trigger acts on a reply to a request that carried its revision: what it begins is in the store before it goes. */
  answerTrigger({ u: offer }: SyncReply, carried: number): void {
    const { status, pins } = this;
    const wanted = pins.triggerAfter(carried);
    if (wanted === undefined) return;
    if (!this.base.device.slots) status.set("failed", { reason: "ota-not-supported" });
    else if (!offer) status.set("idle", { reason: "nothing on offer" });
    else if (wanted !== "1" && wanted !== offer.v)
      status.set("failed", { version: wanted, reason: `not on offer; ${offer.v} is` });
    else {
      const { store } = this.base;
      saveMemory(store, {
        ...loadMemory(store),
        s: "installing",
        o: offer,
        c: status.cause,
        h: "",
        r: "",
        n: 0,
      });
      this.offer = offer;
    }
    pins.clearTrigger();
  }

  /** After the reply's pins were taken: what the next request shall ask for. */
  lookAhead({ u }: SyncReply): void {
    if (this.pins.triggered) this.check();
    else if (this.offer && !u) this.giveUp("withdrawn");
  }

  /** Begins a step; `listener` gets its end, and hands it to `ended`. */
  step(http: HttpClient, listener: UpdateListener): void {
    if (!this.updater) {
      this.base.device.system.mark("ota");
      this.updater = new Updater(this.base, this.status, this.offer!, listener);
    }
    void this.updater.step(http);
  }

  /** True where the step went well. */
  ended(error: unknown): boolean {
    if (error === undefined) {
      this.failures = 0;
      return true;
    }
    const { log, device } = this.base;
    device.system.mark("sync");
    if (error instanceof LinkError) {
      this.failures += 1;
      const pauseMs = backoffMs(this.failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
      this.afterMs = device.system.uptimeMs() + pauseMs;
      log("ota", `interrupted: ${error.message}`, "W");
    } else this.giveUp(error instanceof UpdateError ? error.code : String(error));
    return false;
  }

  /** The trigger is raised; the next request says so, and its reply holds the offer, if there is one. */
  private check(): void {
    const { status } = this;
    status.cause = "pin";
    if (status.current.state !== "checking") status.set("checking");
  }

  private giveUp(reason: string): void {
    const { store } = this.base;
    const version = this.offer?.v;
    this.offer = this.updater = undefined;
    this.failures = 0;
    saveMemory(store, { ...loadMemory(store), s: "" });
    this.status.set("failed", { version, reason });
  }
}
