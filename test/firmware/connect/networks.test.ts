// Networks as people type them, as the store keeps them, and as they are shown.

import test from "ava";
import { RECORD_SIZE, ScanRecords } from "../../../firmware/device/sdk/scan-record.js";
import { networkNote, noteFailure, noteSuccess } from "../../../firmware/connect/network-notes.js";
import { byProspect, enterSignals, heardNow, rankByTurn } from "../../../firmware/connect/plan.js";
import type { Known } from "../../../firmware/connect/plan.js";
import { loadNetworks, networkFault, rememberNetwork, ssidText } from "../../../firmware/connect/networks.js";
import { decodeRequest, encodeRequest } from "../../../firmware/protocol/sync-message.js";
import { NETWORKS } from "../../../firmware/store/keys.js";
import { LogStore } from "../../../firmware/store/log-store.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { flashRegion } from "../store/flash-region.js";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const ssid = bytes("Broome");

for (const [what, password, good] of [
  ["none", "", true],
  ["7 characters", "x".repeat(7), false],
  ["8 characters", "x".repeat(8), true],
  ["4 characters of 8 bytes", "é".repeat(4), true],
  ["63 characters", "x".repeat(63), true],
  ["32 characters of 64 bytes", "é".repeat(32), false],
  ["64 characters", "x".repeat(64), false],
  ["64 hex digits", "0123456789abcdefABCDEF0123456789".repeat(2), true],
  ["65 hex digits", "0".repeat(65), false],
] as const)
  test(`a password of ${what} is ${good ? "taken" : "refused"}`, (t) => {
    const fault = networkFault({ ssid, password });
    t.is(fault, good ? undefined : "a password has 8 to 63 bytes, or is a key of 64 hex digits");
  });

test("a network's name has 1 to 32 bytes", (t) => {
  t.truthy(networkFault({ ssid: bytes(""), password: "" }));
  t.truthy(networkFault({ ssid: bytes("x".repeat(33)), password: "" }));
  t.is(networkFault({ ssid: bytes("x".repeat(32)), password: "" }), undefined);
});

for (const [what, name] of [
  ["ASCII", bytes("x".repeat(32))],
  ["UTF-8", bytes("é".repeat(16))],
  ["no UTF-8", new Uint8Array(32).fill(0xff)],
] as const)
  test(`a name of 32 bytes, ${what}, is one that a request can carry`, (t) => {
    const request = { b: 1, s: 1, u: 1, t: 0, w: 0, m: 1, p: 0, c: 0, x: { ssid: ssidText(name) } };
    t.deepEqual(decodeRequest(encodeRequest(request, 1000)), request);
  });

const storeOf = () => new LogStore({ flash: flashRegion(NorFlash.open({ size: 4 * 4096 })) });

test("the record holds eight networks, the newest first, and does not grow with more", (t) => {
  const store = storeOf();
  const name = (i: number) => bytes(`Network ${String(i).padStart(2, "0")}`);
  for (let i = 0; i < 20; i += 1) rememberNetwork(store, { ssid: name(i), password: "" });
  t.is(store.get(NETWORKS)!.length, 8 * (2 + 10));
  rememberNetwork(store, { ssid: name(15), password: "x".repeat(63) });
  t.deepEqual(
    loadNetworks(store).map(({ ssid, password }) => [ssidText(ssid), password.length]),
    [15, 19, 18, 17, 16, 14, 13, 12].map((i) => [ssidText(name(i)), i === 15 ? 63 : 0]),
  );
});

test("at most eight networks are kept, the last one that worked first, each once", (t) => {
  const store = storeOf();
  for (const name of ["a", "b", "c", "d", "e", "f", "g", "h", "i", "c"])
    rememberNetwork(store, { ssid: bytes(name), password: `pässword ${name}` });
  t.deepEqual(
    loadNetworks(store).map((network) => [ssidText(network.ssid), network.password]),
    ["c", "i", "h", "g", "f", "e", "d", "b"].map((name) => [name, `pässword ${name}`]),
  );
});

test("eight networks of the greatest length fit a record of the store, and what is noted of them another", (t) => {
  const store = storeOf();
  const place = { bssid: Uint8Array.of(1, 2, 3, 4, 5, 6), channel: 13 };
  for (let i = 0; i < 9; i += 1) {
    const name = new Uint8Array(32).fill(i);
    rememberNetwork(store, { ssid: name, password: "0123456789abcdef".repeat(4) });
    noteSuccess(store, name, i, place);
  }
  const kept = loadNetworks(store);
  t.is(kept.length, 8);
  t.deepEqual([...kept[0]!.ssid], new Array(32).fill(8));
  t.deepEqual(networkNote(store, kept[7]!.ssid), { boot: 1, ...place, failure: "" });
  t.is(networkNote(store, new Uint8Array(32)), undefined, "the ninth pushed out the first");
});

test("a failure is noted of networks that worked, in the words of the vocabulary, and written once", (t) => {
  const nor = NorFlash.open({ size: 4 * 4096 });
  const store = new LogStore({ flash: flashRegion(nor) });
  noteFailure(store, ssid, "timeout");
  t.is(networkNote(store, ssid), undefined);
  noteSuccess(store, ssid, 7, {});
  noteFailure(store, ssid, "wrong-password (15)");
  const { programs } = nor.operations;
  for (let i = 0; i < 1000; i += 1) noteFailure(store, ssid, "wrong-password (15)");
  t.is(nor.operations.programs, programs);
  t.deepEqual(networkNote(store, ssid), {
    boot: 7,
    bssid: undefined,
    channel: undefined,
    failure: "wrong-password (15)",
  });
  noteSuccess(store, ssid, 8, { bssid: Uint8Array.of(1, 2, 3, 4, 5, 6), channel: 1 });
  t.is(networkNote(store, ssid)!.failure, "wrong-password (15)", "the last failure stays known");
});

test("a reason is written once, whatever codes the chip gives for it by turns; another reason once more", (t) => {
  const nor = NorFlash.open({ size: 4 * 4096 });
  const store = new LogStore({ flash: flashRegion(nor) });
  noteSuccess(store, ssid, 1, {});
  const writes = (failures: readonly string[]) => {
    const { programs, erases } = nor.operations;
    for (const failure of failures) noteFailure(store, ssid, failure);
    return [nor.operations.programs - programs, nor.operations.erases - erases];
  };
  const ONE_RECORD = [2, 0]; // its head and its value
  t.deepEqual(writes(["wrong-password (15)"]), ONE_RECORD);
  const byTurns = Array.from({ length: 1000 }, (_, i) => `wrong-password (${i % 2 ? 15 : 202})`);
  t.deepEqual(writes(byTurns), [0, 0]);
  t.is(networkNote(store, ssid)!.failure, "wrong-password (15)");
  t.deepEqual(writes(["not-found (201)", "not-found", "not-found (201)"]), ONE_RECORD);
  t.is(networkNote(store, ssid)!.failure, "not-found (201)");
});

test("heard networks come first, news before what was there, then rank, then signal; a step may come before all", (t) => {
  const one = (name: string, step: Known["step"], rank: number): Known => {
    return { ssid: bytes(name), password: "", step, rank };
  };
  const heard = (...networks: [name: string, rssi: number][]) => {
    const records = new Uint8Array(networks.length * RECORD_SIZE);
    networks.forEach(([name, rssi], place) => {
      records.set([name.length, ...bytes(name)], place * RECORD_SIZE);
      records[place * RECORD_SIZE + 40] = rssi & 255;
    });
    return new ScanRecords(records);
  };
  const known = [
    one("away", "stored", 9),
    one("weak", "stored", 5),
    one("strong", "stored", 5),
    one("old", "stored", 4),
    one("patched", "defaults", 0),
  ];
  const names = () => known.map(({ ssid: name }) => ssidText(name)).join(" ");
  const found = heard(["old", -40], ["weak", -80], ["weak", -90], ["strong", -50], ["patched", -30]);
  enterSignals(known, found);
  t.is((byProspect(known, undefined), names()), "strong weak old patched away");
  t.is(known.find((n) => ssidText(n.ssid) === "weak")!.rssi, -80);
  const before = heardNow(known.filter(({ ssid: name }) => ssidText(name) !== "old"));
  t.is((byProspect(known, before), names()), "old strong weak patched away");
  t.is((byProspect(known, before, "stored"), names()), "old strong weak away patched");
  t.is((byProspect(known, undefined, "defaults"), names()), "patched strong weak old away");
  enterSignals(known, undefined); // a scan that failed
  rankByTurn(known, 3);
  t.is((byProspect(known, undefined), names()), "old away patched strong weak");
});
