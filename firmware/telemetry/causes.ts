// Why the board started, in CONTRACT.md's words: the chip's raw cause, and what the firmware wrote down before it restarted.

import type { RawResetCause, System } from "../device/types.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { INTENTION } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import { noteOf } from "./note.js";

/** What the firmware itself restarts for. */
export type Intention = "ota" | "rollback" | "user" | "wifi-timeout" | "server-timeout";

export type Cause = Intention | "power-on" | "watchdog" | "exception" | "brownout" | "deep-sleep" | "unknown";

interface IntentionRecord {
  w: string; // intention, "" for none
  n: string; // note
  u: number; // uptime when written, ms
}

export interface Start {
  cause: Cause;
  /** How long the run before lasted, as far as it was written down; 0 where nothing is known. */
  previousUptimeMs: number;
  note: string;
}

const RAW_CAUSES: readonly (readonly [RawResetCause, Cause])[] = [
  ["power-on", "power-on"],
  ["watchdog", "watchdog"],
  ["exception", "exception"],
  ["brownout", "brownout"],
  ["deep-sleep", "deep-sleep"],
  ["external", "user"], // somebody pressed EN, or a monitor pulled RTS
];
const INTENTIONS: readonly Intention[] = ["ota", "rollback", "user", "wifi-timeout", "server-timeout"];

/** Reads what the last run left behind, and takes it away: an intention explains one start only. */
export function readStart(store: LogStore, raw: RawResetCause): Start {
  const { w = "", n = "", u = 0 } = getRecord<IntentionRecord>(store, INTENTION) ?? {};
  if (w !== "") writeIntention(store, "", "", 0);
  const meant = raw === "software" ? INTENTIONS.find((intention) => intention === w) : undefined;
  const cause = meant ?? RAW_CAUSES.find(([code]) => code === raw)?.[1] ?? "unknown";
  return { cause, previousUptimeMs: Number(u) || 0, note: meant ? String(n) : "" };
}

/** Restarts, for a reason that the next start will know. */
export function restartFor(store: LogStore, system: System, intention: Intention, note = ""): never {
  writeIntention(store, intention, note, system.uptimeMs());
  return system.restart();
}

/** Once in a while, so that a power cut does not lose how long the run was. */
export function noteUptime(store: LogStore, uptimeMs: number): void {
  writeIntention(store, "", "", uptimeMs);
}

function writeIntention(store: LogStore, w: string, n: string, uptimeMs: number): void {
  const record: IntentionRecord = { w, n: noteOf(n), u: Math.round(uptimeMs) };
  setRecord(store, INTENTION, record);
}
