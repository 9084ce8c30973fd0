// Networks as people type them, as the store keeps them, and as they are shown.

import test from "ava";
import { loadNetworks, networkFault, rememberNetwork, ssidText } from "../../../firmware/connect/networks.js";
import { decodeRequest, encodeRequest } from "../../../firmware/protocol/sync-message.js";
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

test("at most four networks are kept, the last one that worked first, each once", (t) => {
  const store = new LogStore({ flash: flashRegion(NorFlash.open({ size: 4 * 4096 })) });
  for (const name of ["a", "b", "c", "d", "e", "c"])
    rememberNetwork(store, { ssid: bytes(name), password: `pässword ${name}` });
  t.deepEqual(
    loadNetworks(store).map((network) => [ssidText(network.ssid), network.password]),
    ["c", "e", "d", "b"].map((name) => [name, `pässword ${name}`]),
  );
});
