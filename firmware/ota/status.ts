// The state of updates, as everybody sees it: a line on the UART, pin V101, field `o` of a sync (CONTRACT.md, "Pins").

import { OTA_STATUS_PIN } from "../pins/pins.js";
import type { Pins } from "../pins/pins.js";
import type { OtaReport } from "../protocol/sync-message.js";
import type { Base } from "../store/base.js";
import { noteOf } from "../telemetry/note.js";
import type { ServerTime } from "../telemetry/server-time.js";

export type OtaState = OtaReport["state"];

export class OtaStatus {
  /** Why there is an update at all: V101's `cause`. */
  cause = "";
  private readonly base: Base;
  private readonly pins: Pins;
  private readonly time: ServerTime;
  private report: OtaReport = { state: "idle" };

  constructor(base: Base, pins: Pins, time: ServerTime) {
    this.base = base;
    this.pins = pins;
    this.time = time;
  }

  get current(): OtaReport {
    return this.report;
  }

  set(state: OtaState, details: { percent?: number; version?: string; reason?: string } = {}): void {
    const { percent = state === "confirmed" || state === "trial" ? 100 : 0, version, reason } = details;
    const report: OtaReport = { state, percent };
    if (version) report.version = version;
    if (reason) report.reason = noteOf(reason);
    this.report = report;
    const words = [`state=${state}`, `percent=${percent}`];
    if (version) words.push(`version=${version}`);
    if (reason) words.push(`reason=${reason}`);
    this.base.log("ota", words.join(" "));
    const time = this.time.at(this.base.device.system.uptimeMs());
    const pin = { state, percent, version, time, cause: this.cause, reason: report.reason };
    this.pins.report(OTA_STATUS_PIN, JSON.stringify(pin));
  }

  /** Between two states: the line only, so that the pin's history stays short. */
  progress(state: OtaState, percent: number): void {
    this.base.log("ota", `state=${state} percent=${percent}`);
  }
}
