// Fuzz of world files: any member replaced by something hostile.

import { checkWorld, type World } from "../../tools/simulator/world.js";
import { pick } from "../support/damage.js";
import type { Random } from "../support/random.js";
import { accepted, hasCode, must, type Fuzz } from "./fuzz.js";

const good = {
  seed: 6725,
  clock: "fast",
  test: true,
  keys: "seeded",
  accessPoints: [
    { ssid: "Broome", password: "cable-beach-6725", channel: 6, rssi: -58 },
    { ssid: "Roebuck Bay", fail: "absent", hidden: true, bssid: "02:00:00:00:00:01" },
  ],
  hosts: { "broome.example": "127.0.0.1", "nowhere.example": null },
  faults: [
    { at: 1000, what: "vanish", ssid: "Broome" },
    { at: 12000, what: "disconnect", ssid: "Broome", reason: 4 },
    { at: 20000, what: "signal", ssid: "Broome", rssi: -90 },
    { at: 40000, what: "power-cut", operation: 3, board: 0 },
  ],
};

type Holder = Record<string, unknown>;

/** A member somewhere in the tree: its holder and its name. */
function member(random: Random, root: Holder): [Holder, string] {
  let holder = root;
  for (;;) {
    const name = pick(random, Object.keys(holder));
    const value = holder[name];
    const deeper = typeof value === "object" && value !== null && Object.keys(value).length > 0;
    if (!deeper || random.below(4) === 0) return [holder, name];
    holder = value as Holder;
  }
}

function hostile(random: Random): unknown {
  return pick<unknown>(random, [
    ...[null, true, "", "x".repeat(40), "é".repeat(17), "Broome", "Roebuck Bay", [], {}, [[]], [null]],
    ...[0, -1, 1, 14, 15, 255, 256, 1.5, 2 ** 32, -127, -128, NaN, Infinity, 1e300],
    ...["real", "stuck", "absent", "power-cut", "127.0.0.1", "::1", "02:00:00:00:00:02", "wep", "open"],
    ...[{ __proto__: null }, { ssid: "Broome" }, { at: 0, what: "reset" }, { constructor: 1 }],
  ]);
}

export const world: Fuzz = {
  name: "world",
  try(random) {
    const input = structuredClone(good) as Holder;
    for (let times = 1 + random.below(3); times > 0; times -= 1) {
      const [holder, name] = member(random, input);
      const act = random.below(4);
      if (act === 0) Reflect.deleteProperty(holder, name);
      else if (act === 1) holder[pick(random, ["extra", "ssid", "at", "__proto__x"])] = hostile(random);
      else holder[name] = hostile(random);
      if (Object.keys(input).length === 0) break;
    }
    const result = accepted(() => checkWorld(input), hasCode("world-invalid"));
    if (result !== undefined) check(result);
  },
};

function check(result: World): void {
  const names = new Set<string>();
  must(result.accessPoints.length <= 64 && result.faults.length <= 1000, "too many");
  must(result.keys === "secure" || result.test, "weak keys outside a test");
  for (const { ssid, channel, rssi, security, password, bssid } of result.accessPoints) {
    const bytes = Buffer.byteLength(ssid);
    must(bytes >= 1 && bytes <= 32, "an SSID out of bounds");
    must(Number.isInteger(channel) && channel >= 1 && channel <= 14, "a channel out of bounds");
    must(Number.isInteger(rssi) && rssi >= -127 && rssi <= 0, "a signal out of bounds");
    must((security === "open") === (password === ""), "security and password disagree");
    must(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(bssid), "no BSSID");
    names.add(ssid);
  }
  for (const fault of result.faults) {
    must(fault.at >= 0 && Number.isFinite(fault.at), "a fault at no time");
    must(!("ssid" in fault) || names.has(fault.ssid), "a fault of nobody's network");
  }
}
