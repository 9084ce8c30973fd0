// The station: what a join meets in each kind of world, with the reason codes of an ESP32.

import test from "ava";
import { pbkdf2Sync } from "node:crypto";
import { Air } from "../../../tools/simulator/air.js";
import { Clock } from "../../../tools/simulator/clock.js";
import { scheduleFaults } from "../../../tools/simulator/faults.js";
import { EventQueue, type BusEvent } from "../../../tools/simulator/events.js";
import { Radio } from "../../../tools/simulator/radio.js";
import { seededNumbers } from "../../../tools/simulator/random.js";
import { RECORD_SIZE, ScanRecords } from "../../../firmware/device/sdk/scan-record.js";
import { checkWorld } from "../../../tools/simulator/world.js";
import { passTurns } from "../../support/stepped.js";

const SETTLED_MS = 5000; // of virtual time

function rig(world: unknown) {
  const checked = checkWorld(world);
  const clock = new Clock({ mode: "stepped" });
  const air = new Air(checked);
  const heard: BusEvent[] = [];
  const queue: EventQueue = new EventQueue(() =>
    queueMicrotask(() => {
      for (let event = queue.take(); event !== undefined; event = queue.take()) heard.push(event);
    }),
  );
  const chance = seededNumbers(1, "radio");
  const radio = new Radio({ air, clock, chance, post: queue.post, hostNumber: 2 });
  scheduleFaults(checked.faults, clock, air, []);
  return { radio, clock, air, heard, wait: (ms: number) => passTurns(clock, ms) };
}

const network = { ssid: "Broome", password: "cable-beach", channel: 6, rssi: -50 };
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const request = { ssid: bytes("Broome"), password: "cable-beach" };

const joins: [title: string, accessPoint: object, change: object, expected: RegExp][] = [
  ["the right password leads to an address", {}, {}, /^station.associated station.address$/],
  ["a wrong password is 15 or 202", {}, { password: "wrong-password" }, /^station.lost (15|202)$/],
  ["an absent network is 201", {}, { ssid: bytes("Perth") }, /^station.lost 201$/],
  ["a network that is off is 201", { fail: "absent" }, {}, /^station.lost 201$/],
  ["a hidden network can be joined", { hidden: true }, {}, /^station.associated station.address$/],
  ["a dead DHCP server never gives an address", { fail: "no-address" }, {}, /^station.associated$/],
  ["an access point that refuses is 203", { fail: "refused" }, {}, /^station.lost 203$/],
  ["no password for a secured network is 210", {}, { password: "" }, /^station.lost 210$/],
  ["a password for an open network is 211", { password: "" }, {}, /^station.lost 211$/],
  ["an open network needs none", { password: "" }, { password: "" }, /^station.associated station.address$/],
  ["another BSSID is not found", {}, { bssid: Uint8Array.of(1, 2, 3, 4, 5, 6) }, /^station.lost 201$/],
  ["another channel is not found", {}, { channel: 11 }, /^station.lost 201$/],
  ["a signal too weak is 2", { rssi: -110 }, {}, /^station.lost 2$/],
  [
    "the 256-bit key does as well as the passphrase",
    {},
    { password: pbkdf2Sync("cable-beach", "Broome", 4096, 32, "sha1").toString("hex") },
    /^station.associated station.address$/,
  ],
];

for (const [title, accessPoint, change, expected] of joins)
  test(`join: ${title}`, async (t) => {
    const { radio, clock, heard, wait } = rig({ accessPoints: [{ ...network, ...accessPoint }] });
    radio.join({ ...request, ...change });
    await wait(SETTLED_MS);
    t.regex(
      heard.map(([name, raw]) => (name === "station.lost" ? `${name} ${raw}` : name)).join(" "),
      expected,
    );
    clock.close();
  });

test("an address comes with mask, gateway and DNS", async (t) => {
  const { radio, clock, heard, wait } = rig({ accessPoints: [network] });
  radio.join(request);
  await wait(SETTLED_MS);
  t.deepEqual(heard[1], ["station.address", "192.168.6.2", "255.255.255.0", "192.168.6.1", ["192.168.6.1"]]);
  t.true(Math.abs(radio.rssi()! + 50) <= 3);
  clock.close();
});

test("the router notes the host name that an address was asked for with; what is none is refused", async (t) => {
  const { radio, air, clock, wait } = rig({ accessPoints: [network] });
  const { leases } = air.named(network.ssid)[0]!;
  radio.join(request);
  await wait(SETTLED_MS);
  t.deepEqual([...leases], [["192.168.6.2", undefined]]);
  for (const bad of ["", "-a", "a-", "a.b", "a b", "\u00e4", "x".repeat(33)])
    t.throws(() => radio.setHostName(bad), { message: /is no host name/ }, bad);
  radio.setHostName("gate-3");
  t.is(radio.hostNameAtRouter, undefined, "not before the next lease");
  radio.join(request);
  await wait(SETTLED_MS);
  t.deepEqual([...leases], [["192.168.6.2", "gate-3"]]);
  t.is(radio.hostNameAtRouter, "gate-3");
  radio.leave();
  t.is(radio.hostNameAtRouter, undefined);
  clock.close();
});

test("the strongest of several access points is taken", async (t) => {
  const { radio, clock, heard, wait } = rig({
    accessPoints: [
      { ...network, channel: 1, rssi: -80 },
      { ...network, channel: 11, rssi: -40 },
    ],
  });
  radio.join(request);
  await wait(SETTLED_MS);
  t.is(heard[1]![1], "192.168.11.2");
  clock.close();
});

test("a scan hears what is on the air, strongest first, hidden ones not", async (t) => {
  const { radio, clock, heard, wait } = rig({
    accessPoints: [
      { ssid: "weak", rssi: -80 },
      { ...network, bssid: "0A:00:00:00:00:01" },
      { ssid: "hidden", hidden: true },
      { ssid: "off", fail: "absent" },
    ],
  });
  radio.scan();
  t.throws(() => radio.scan(), { message: /scan is going on/ });
  await wait(SETTLED_MS);
  const records = heard[0]![1] as Uint8Array;
  t.is(records.length, 2 * RECORD_SIZE);
  t.deepEqual(records.slice(33, 39), Uint8Array.of(10, 0, 0, 0, 0, 1)); // BSSID
  const list = new ScanRecords(records);
  t.deepEqual(
    [0, 1].map((place) => Buffer.from(list.ssid(place)).toString()),
    ["Broome", "weak"],
  );
  t.is(list.channel(0), 6);
  t.is(list.security(0), "wpa2");
  clock.close();
});

test("a scan during a join fails, a join during a scan waits for its end", async (t) => {
  const first = rig({ accessPoints: [network] });
  first.radio.join(request);
  first.radio.scan();
  await first.wait(SETTLED_MS);
  t.deepEqual(
    first.heard.map(([name]) => name),
    ["station.scanned", "station.associated", "station.address"],
  );
  t.is(first.heard[0]![1], undefined);
  first.clock.close();

  const second = rig({ accessPoints: [network] });
  second.radio.scan();
  second.radio.join(request);
  await second.wait(SETTLED_MS);
  t.deepEqual(
    second.heard.map(([name]) => name),
    ["station.scanned", "station.associated", "station.address"],
  );
  t.not(second.heard[0]![1], undefined);
  second.clock.close();
});

test("an association ends when the router vanishes (200), and is there again when it comes back", async (t) => {
  const { radio, clock, heard, wait } = rig({
    accessPoints: [network],
    faults: [
      { at: 10_000, what: "vanish", ssid: "Broome" },
      { at: 30_000, what: "appear", ssid: "Broome" },
    ],
  });
  radio.join(request);
  await wait(9000);
  t.true(radio.online);
  await wait(6000);
  t.deepEqual(heard.at(-1), ["station.lost", 200]);
  t.false(radio.online);
  radio.join(request);
  await wait(SETTLED_MS);
  t.deepEqual(heard.at(-1), ["station.lost", 201]);
  await wait(20_000);
  radio.join(request);
  await wait(SETTLED_MS);
  t.is(heard.at(-1)![0], "station.address");
  clock.close();
});

test("a router that turns its stations away gives its reason", async (t) => {
  const { radio, clock, heard, wait } = rig({
    accessPoints: [network],
    faults: [{ at: 3000, what: "disconnect", ssid: "Broome", reason: 8 }],
  });
  radio.join(request);
  await wait(SETTLED_MS);
  t.deepEqual(heard.at(-1), ["station.lost", 8]);
  clock.close();
});

test("leave makes no event, and takes back those that are under way", async (t) => {
  const { radio, clock, heard, wait } = rig({ accessPoints: [network] });
  radio.join(request);
  await wait(100);
  radio.leave();
  const before = heard.length;
  await wait(SETTLED_MS);
  t.is(heard.length, before);
  t.is(radio.rssi(), undefined);
  clock.close();
});
