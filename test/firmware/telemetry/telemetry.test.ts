// The outbox, the ledger and the causes of a start, on the real store.

import test from "ava";
import type { RawResetCause, System } from "../../../firmware/device/types.js";
import { LogStore } from "../../../firmware/store/log-store.js";
import { noteUptime, readStart, restartFor } from "../../../firmware/telemetry/causes.js";
import {
  acknowledgeLedger,
  addLedgerEntry,
  ledgerEntries,
  nextBoot,
  raiseBoot,
} from "../../../firmware/telemetry/ledger.js";
import { noteOf } from "../../../firmware/telemetry/note.js";
import { MAX_TEXT, Outbox, OUTBOX_SIZE } from "../../../firmware/telemetry/outbox.js";
import { decodeRequest } from "../../../firmware/protocol/sync-message.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { flashRegion } from "../store/flash-region.js";

function newStore(): LogStore {
  return new LogStore({ flash: flashRegion(NorFlash.open({ size: 16 * 4096 })) });
}

function system(uptimeMs = 1234): System {
  return {
    uptimeMs: () => uptimeMs,
    restart() {
      throw new Error("restarted");
    },
  } as unknown as System;
}

test("readings leave in order and stay until what the server says is durable covers them", (t) => {
  const outbox = new Outbox(system(), 3);
  for (let i = 1; i <= 5; i += 1) outbox.add("n", i);
  t.deepEqual(outbox.batch(2), [
    [3, 1, 1234, "n", 1],
    [3, 2, 1234, "n", 2],
  ]);
  t.is(outbox.length, 5);
  outbox.acknowledge(2, 99); // an older boot says nothing about this one
  t.is(outbox.length, 5);
  outbox.acknowledge(3, 3);
  t.deepEqual(
    outbox.batch(9).map(([, k]) => k),
    [4, 5],
  );
  outbox.acknowledge(3, 1);
  t.is(outbox.length, 2);
  outbox.rename(8);
  t.deepEqual(
    outbox.batch(9).map(([b, k]) => [b, k]),
    [
      [8, 4],
      [8, 5],
    ],
  );
  outbox.acknowledge(9, 0); // everything before a later boot
  t.is(outbox.length, 0);
});

test("a full outbox drops the oldest and counts it", (t) => {
  const outbox = new Outbox(system(), 1);
  for (let i = 1; i <= OUTBOX_SIZE + 7; i += 1) outbox.add("n", i);
  t.is(outbox.length, OUTBOX_SIZE);
  t.is(outbox.dropped, 7);
  t.is(outbox.batch(1)[0]![1], 8);
});

for (const [what, name, value] of [
  ["no name", "", 1],
  ["a name with a space", "a b", 1],
  ["__proto__", "__proto__", 1],
  ["a long name", "n".repeat(33), 1],
  ["NaN", "n", NaN],
  ["infinity", "n", Infinity],
  ["long text", "n", "x".repeat(MAX_TEXT + 1)],
  ["an object", "n", {} as never],
  ["nothing", "n", undefined as never],
] as const)
  test(`a reading that the server would refuse is refused when it is taken: ${what}`, (t) => {
    const outbox = new Outbox(system(), 1);
    t.throws(() => outbox.add(name, value));
    t.is(outbox.length, 0);
    outbox.add("room.temp-1", "fine");
    const message = { b: 1, s: 1, u: 1, t: 0, w: 0, m: 1, p: 0, c: 0, r: outbox.batch(9) };
    t.notThrows(() => decodeRequest(new TextEncoder().encode(JSON.stringify(message))));
  });

test("boot numbers ascend, and jump over what the server has seen", (t) => {
  const store = newStore();
  t.is(nextBoot(store), 1);
  t.is(nextBoot(store), 2);
  addLedgerEntry(store, [2, "power-on", "1.0.0", 0, ""]);
  t.is(raiseBoot(store, 2, 40), 41);
  t.deepEqual(ledgerEntries(store), [[41, "power-on", "1.0.0", 0, ""]]);
  t.is(nextBoot(store), 42);
  t.is(raiseBoot(store, 42, 5), 43);
});

test("the ledger keeps the newest starts until they are acknowledged", (t) => {
  const store = newStore();
  for (let boot = 1; boot <= 9; boot += 1) addLedgerEntry(store, [boot, "user", "1.0.0", 5, "x".repeat(64)]);
  t.deepEqual(
    ledgerEntries(store).map(([b]) => b),
    [4, 5, 6, 7, 8, 9],
  );
  acknowledgeLedger(store, 7);
  t.deepEqual(
    ledgerEntries(store).map(([b]) => b),
    [8, 9],
  );
  acknowledgeLedger(store, 9);
  t.deepEqual(ledgerEntries(store), []);
});

test("an intention explains the next start, once, and only a restart by software", (t) => {
  const store = newStore();
  t.throws(() => restartFor(store, system(777), "ota", "to 1.0.1"), { message: "restarted" });
  t.deepEqual(readStart(store, "software"), { cause: "ota", previousUptimeMs: 777, note: "to 1.0.1" });
  t.is(readStart(store, "software").cause, "unknown");
  t.throws(() => restartFor(store, system(), "rollback"));
  t.is(readStart(store, "power-on").cause, "power-on");
});

test("every raw cause has its word, and the last known uptime comes with it", (t) => {
  const store = newStore();
  noteUptime(store, 60_000.4);
  const raw: RawResetCause[] = [
    "power-on",
    "external",
    "watchdog",
    "exception",
    "brownout",
    "deep-sleep",
    "unknown",
  ];
  t.deepEqual(
    raw.map((cause) => readStart(store, cause).cause),
    ["power-on", "user", "watchdog", "exception", "brownout", "deep-sleep", "unknown"],
  );
  t.is(readStart(store, "power-on").previousUptimeMs, 60_000);
});

for (const [what, text, length] of [
  ["short", "to 1.0.1", 8],
  ["ASCII", "x".repeat(99), 64],
  ["of two bytes a character", "é".repeat(40), 32],
  ["of three, which do not fill 64", "€".repeat(40), 21],
  ["of four", "\u{1f422}".repeat(17), 32],
] as const)
  test(`a note is cut to what a request can carry: ${what}`, (t) => {
    const store = newStore();
    t.throws(() => restartFor(store, system(), "rollback", text));
    const { note } = readStart(store, "software");
    t.is(note, text.slice(0, length));
    t.is(note, noteOf(text));
    const request = {
      ...{ b: 1, s: 1, u: 1, t: 0, w: 0, m: 1, p: 0, c: 0 },
      l: [[1, "rollback", "1.0.0", 0, note]],
      o: { state: "failed", reason: noteOf(text) },
    };
    t.deepEqual(decodeRequest(new TextEncoder().encode(JSON.stringify(request))), request as never);
  });
