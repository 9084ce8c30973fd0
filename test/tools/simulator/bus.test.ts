// The bus offers exactly the rows of DESIGN.md's table, and the firmware's virtual platform uses no others.

import test from "ava";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createBus, type Peripherals } from "../../../tools/simulator/bus.js";
import { root } from "./small-firmware.js";

/** Every operation, by the peripheral that it belongs to. Nothing higher than a socket, a sector or a cipher. */
const operations = {
  station: ["scan", "join", "leave", "hostName", "rssi"],
  smartconfig: ["start", "stop", "acknowledge", "receiving"],
  tcp: ["open", "read", "write", "close"],
  resolve: ["lookup"],
  flash: ["open", "read", "erase", "write"],
  slots: ["running", "other", "invalidateOther", "selectOther", "rearmOther", "markValid", "markInvalid"],
  system: ["info", "restart", "uptime", "heap", "mark", "feed"],
  console: ["write"],
  timer: ["set", "clear"],
  clock: ["now"],
  random: ["bytes"],
  gpio: ["read", "write"],
  crypto: [
    "random",
    "sha256",
    "hashStart",
    "hashUpdate",
    "hashDigest",
    "hmac",
    "aesCbcEncrypt",
    "aesCbcDecrypt",
    "aesGcmSeal",
    "aesGcmOpen",
  ],
};
const expected = Object.entries(operations)
  .flatMap(([peripheral, names]) => names.map((name) => `${peripheral}.${name}`))
  .sort();

test("the bus offers these operations and no others", (t) => {
  t.deepEqual(Object.keys(createBus({} as Peripherals)).sort(), expected);
});

test("firmware/device/virtual calls operations of the bus only, and all but the engine's own two", (t) => {
  const folder = join(root, "firmware/device/virtual");
  const called = new Set<string>();
  for (const file of readdirSync(folder)) {
    const source = readFileSync(join(folder, file), "utf8");
    for (const [, name] of source.matchAll(/\b(?:call|callBytes|callParts|bus)\(\s*"([^"]+)"/g))
      called.add(name!);
  }
  const engineOwn = ["clock.now", "random.bytes"];
  t.deepEqual(
    [...called].sort(),
    expected.filter((name) => !engineOwn.includes(name)),
  );
});
