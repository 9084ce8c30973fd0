// The state of updates, as everybody sees it: a line on the UART, pin V101, field `o` of a sync (CONTRACT.md, "Pins").

import type { Log } from "../protocol/log-line.js";
import type { OtaReport } from "../protocol/sync-message.js";

export type OtaState = OtaReport["state"];

export interface OtaStatusOptions {
  log: Log;
  /** The server's time in ms since 1970, 0 while it is not known. */
  now(): number;
  /** V101's new value. */
  onPin(json: string): void;
}

export class OtaStatus {
  private readonly options: OtaStatusOptions;
  private report: OtaReport = { state: "idle" };
  /** Why there is an update at all: V101's `cause`. */
  cause = "";

  constructor(options: OtaStatusOptions) {
    this.options = options;
  }

  get current(): OtaReport {
    return this.report;
  }

  set(state: OtaState, details: { percent?: number; version?: string; reason?: string } = {}): void {
    const { percent = state === "confirmed" || state === "trial" ? 100 : 0, version, reason } = details;
    const report: OtaReport = { state, percent };
    if (version) report.version = version;
    if (reason) report.reason = reason.slice(0, 64);
    this.report = report;
    const words = [`state=${state}`, `percent=${percent}`];
    if (version) words.push(`version=${version}`);
    if (reason) words.push(`reason=${reason}`);
    this.options.log("ota", words.join(" "));
    const pin = {
      state,
      percent,
      version,
      time: this.options.now(),
      cause: this.cause,
      reason: report.reason,
    };
    this.options.onPin(JSON.stringify(pin));
  }

  /** Between two states: the line only, so that the pin's history stays short. */
  progress(state: OtaState, percent: number): void {
    this.options.log("ota", `state=${state} percent=${percent}`);
  }
}
