// World files: what is refused, and in which words.

import test from "ava";
import { checkWorld, defaultWorld, readWorld } from "../../../tools/simulator/world.js";
import type { BroomeError } from "../../../tools/error.js";

const point = { ssid: "Broome", password: "cable-beach", channel: 6 };

const bad: [title: string, world: unknown, path: string, value: string][] = [
  ["not an object", 7, "the world", "7"],
  ["a field that does not exist", { acessPoints: [] }, "the world", "acessPoints"],
  [
    "a channel that does not exist",
    { accessPoints: [{ ...point, channel: 99 }] },
    "accessPoints[0].channel",
    "99",
  ],
  [
    "a password of 7 characters",
    { accessPoints: [{ ...point, password: "seven77" }] },
    "accessPoints[0].password",
    "seven77",
  ],
  [
    "a secured network without a password",
    { accessPoints: [{ ssid: "a", security: "wpa2" }] },
    "accessPoints[0].password",
    "nothing",
  ],
  [
    "an open network with a password",
    { accessPoints: [{ ...point, security: "open" }] },
    "accessPoints[0].password",
    "cable-beach",
  ],
  [
    "an SSID of 33 bytes",
    { accessPoints: [{ ...point, ssid: "é".repeat(17) }] },
    "accessPoints[0].ssid",
    "éé",
  ],
  ["an empty SSID", { accessPoints: [{ ...point, ssid: "" }] }, "accessPoints[0].ssid", '""'],
  [
    "a BSSID of five bytes",
    { accessPoints: [{ ...point, bssid: "00:01:02:03:04" }] },
    "accessPoints[0].bssid",
    "00:01",
  ],
  ["a signal above zero", { accessPoints: [{ ...point, rssi: 3 }] }, "accessPoints[0].rssi", "3"],
  ["an unknown failure", { accessPoints: [{ ...point, fail: "slow" }] }, "accessPoints[0].fail", "slow"],
  ["an unknown clock", { clock: "faster" }, "clock", "faster"],
  ["seeded keys outside a test", { keys: "seeded" }, "keys", "seeded"],
  ["stuck keys outside a test", { keys: "stuck", test: false }, "keys", "stuck"],
  ["a seed that is no u32", { seed: 2 ** 32 }, "seed", "4294967296"],
  ["an unknown fault", { faults: [{ at: 1, what: "earthquake" }] }, "faults[0].what", "earthquake"],
  ["a fault before the beginning", { faults: [{ at: -1, what: "reset" }] }, "faults[0].at", "-1"],
  [
    "a fault of a network that is not there",
    { accessPoints: [point], faults: [{ at: 1, what: "vanish", ssid: "b" }] },
    "faults[0].ssid",
    '"b"',
  ],
  ["a host that is no IPv4 address", { hosts: { "a.example": "::1" } }, "hosts.a.example", "::1"],
];

for (const [title, world, path, value] of bad)
  test(`world-invalid: ${title}`, (t) => {
    const error = t.throws(() => checkWorld(world)) as BroomeError;
    t.is(error.code, "world-invalid");
    t.true(error.message.startsWith(`${path}:`), error.message);
    t.true(error.message.includes(value), error.message);
  });

test("world-invalid: a file that is absent, or no JSON", (t) => {
  t.is((t.throws(() => readWorld("/nonexistent/world.json")) as BroomeError).code, "world-invalid");
  t.is((t.throws(() => readWorld(import.meta.filename)) as BroomeError).code, "world-invalid");
});

test("defaults are filled in", (t) => {
  const world = checkWorld({ accessPoints: [point, { ssid: "open one" }] });
  t.like(world, { clock: "real", keys: "secure", test: false });
  t.like(world.accessPoints[0], { security: "wpa2", hidden: false, rssi: -50, bssid: "02:b0:0e:00:00:00" });
  t.like(world.accessPoints[1], { security: "open", password: "", channel: 6 });
});

test("the default world has one WPA2 network on channel 6", (t) => {
  t.is(defaultWorld.accessPoints.length, 1);
  t.like(defaultWorld.accessPoints[0], { security: "wpa2", channel: 6 });
});
