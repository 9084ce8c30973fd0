// What the updater must know over a restart, as one record of the store.

import type { Offer } from "../protocol/sync-message.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { OTA_MEMORY } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import { noteOf } from "../telemetry/note.js";

/**
 * `installing`: on the way; `selected`: the other slot is, or is about to be, selected; `trial`: it runs; `failed`: it was
 * given up; `confirmed`: it proved itself.
 */
export type Stage = "" | "installing" | "selected" | "trial" | "failed" | "confirmed";

export interface OtaMemory {
  s: Stage;
  o: Offer; // what was accepted
  c: string; // why: V101's `cause`
  h: string; // beginning of the image's SHA-256, hex
  r: string; // why it failed
  n: number; // trials re-armed after a power cut
  f: string[]; // images that failed, newest first, as h
}

/** Characters of a hash that are kept: 64 bits tell a device's own few images apart. */
const KEPT_HASH = 16;
const KEPT_FAILURES = 6;

export function loadMemory(store: LogStore): OtaMemory {
  const {
    s = "",
    o = { v: "", m: "" },
    c = "",
    h = "",
    r = "",
    n = 0,
    f = [],
  } = getRecord<OtaMemory>(store, OTA_MEMORY) ?? {};
  return { s, o, c, h, r, n, f };
}

export function saveMemory(store: LogStore, memory: OtaMemory): void {
  setRecord(store, OTA_MEMORY, memory);
}

export function shortHash(sha256: string): string {
  return sha256.slice(0, KEPT_HASH);
}

/** The image did not prove itself: remembered, and not tried again unless a person asks. */
export function saveFailure(store: LogStore, memory: OtaMemory, reason: string): void {
  const { h, f } = memory;
  const failures = h === "" ? f : [h, ...f.filter((known) => known !== h)].slice(0, KEPT_FAILURES);
  const failed: OtaMemory = { ...memory, s: "failed", r: noteOf(reason), f: failures };
  setRecord(store, OTA_MEMORY, failed); // not by saveMemory: this is the deepest write at a start
}
