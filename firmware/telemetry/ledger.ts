// The boot ledger: every start with its cause, kept until the server has it.

import type { LedgerEntry } from "../protocol/sync-message.js";
import { getCount, getRecord, setCount, setRecord } from "../store/json-record.js";
import { BOOT_NUMBER, LEDGER } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

/** Starts kept; of more the oldest are dropped. */
const KEPT = 6;

interface LedgerRecord {
  l: LedgerEntry[];
}

/** The number of this boot, committed before anything is recorded under it. */
export function nextBoot(store: LogStore): number {
  const boot = getCount(store, BOOT_NUMBER) + 1;
  setCount(store, BOOT_NUMBER, boot);
  return boot;
}

/** After `stale`: the server has seen higher numbers, so this boot takes one above them. Returns the number in use. */
export function raiseBoot(store: LogStore, boot: number, highest: number): number {
  const raised = Math.max(boot, highest) + 1;
  setCount(store, BOOT_NUMBER, raised);
  const entries = ledgerEntries(store);
  const last = entries[entries.length - 1];
  if (last?.[0] === boot) {
    last[0] = raised;
    setRecord(store, LEDGER, { l: entries });
  }
  return raised;
}

export function addLedgerEntry(store: LogStore, entry: LedgerEntry): void {
  setRecord(store, LEDGER, { l: [...ledgerEntries(store), entry].slice(-KEPT) });
}

export function ledgerEntries(store: LogStore): LedgerEntry[] {
  const entries = getRecord<LedgerRecord>(store, LEDGER)?.l;
  return Array.isArray(entries) ? entries : [];
}

/** The server has every start up to `boot`. */
export function acknowledgeLedger(store: LogStore, boot: number): void {
  const entries = ledgerEntries(store);
  const left = entries.filter(([b]) => b > boot);
  if (left.length !== entries.length) setRecord(store, LEDGER, { l: left });
}
