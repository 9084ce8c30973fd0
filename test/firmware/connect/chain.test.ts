// The first-boot chain on the simulated radio, in fast time: which step is tried when, what is kept, what is said.

import test from "ava";
import { networkNote } from "../../../firmware/connect/network-notes.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";

const good = { "wifi.ssid": network.ssid, "wifi.password": network.password };
const broome = { ...network, security: "wpa2", channel: 6 };
const other = { ssid: "Derby", password: "boab-prison-tree", security: "wpa2", channel: 1, rssi: -60 };

test.afterEach.always(() => FirmwareBoard.endAll());

/** "stored=none", "defaults=online", ... in the order in which the lines came. */
function results(board: FirmwareBoard): string[] {
  return board.lines.flatMap((line) => {
    const [, step, result] = /chain: step=(\S+) result=(.*) ms=\d+$/.exec(line) ?? [];
    return step ? [`${step}=${result}`] : [];
  });
}

function known(board: FirmwareBoard): string[] {
  return loadNetworks(board.store).map(({ ssid }) => ssidText(ssid));
}

/** Virtual ms from the first start until the log says `pattern`. */
function uptimeOf(board: FirmwareBoard, pattern: RegExp): number {
  const line = board.lines.find((one) => pattern.test(one))!;
  return Number(/\((\d+)\)/.exec(line)![1]);
}

test.serial(
  "first boot: stored has none, defaults leads online and is stored; next boot: stored leads online",
  async (t) => {
    const first = new FirmwareBoard({ defaults: good });
    await first.waitFor(/result=online/);
    t.deepEqual(results(first), ["stored=none", "defaults=online"]);
    t.deepEqual(known(first), ["Broome"]);
    t.true(first.said.includes("c********5"), "the password is masked");
    t.false(first.said.includes(network.password));
    const second = first.reset("external", { defaults: {} });
    await second.waitFor(/result=online/);
    t.deepEqual(results(second), ["stored=online"]);
    t.regex(second.said, /boot: slot=ota_0 version=1\.0\.0 cause=user/);
  },
);

test.serial(
  "the last network is tried on its channel and BSSID first, and is there in under 1.5 s",
  async (t) => {
    const first = new FirmwareBoard({ defaults: good });
    await first.waitFor(/result=online/);
    const second = first.reset("external", { defaults: {} });
    await second.waitFor(/result=online/);
    t.deepEqual(second.joins, ["Broome at 02b00e000000 6"]);
    t.true(uptimeOf(second, /result=online/) < 1500);
  },
);

test.serial("a router that changed its channel is found by a scan", async (t) => {
  const first = new FirmwareBoard({ defaults: good });
  await first.waitFor(/result=online/);
  first.air.beacons()[0]!.channel = 11;
  const second = first.reset("external", { defaults: {} });
  await second.waitFor(/result=online/);
  t.deepEqual(second.joins, ["Broome at 02b00e000000 6", "Broome"]);
  t.is(networkNote(second.store, Buffer.from("Broome"))!.channel, 11);
  t.deepEqual(results(second), ["stored=online"]);
});

test.serial("nothing known: every step in order says why", async (t) => {
  const board = new FirmwareBoard({});
  await board.waitFor(/step=serial/);
  t.deepEqual(results(board).slice(0, 3), ["stored=none", "defaults=none", "smartconfig=timeout"]);
  t.true(results(board).includes("serial=none"));
});

for (const [name, world, reason] of [
  [
    "a wrong password",
    { accessPoints: [{ ...network, password: "another-one", security: "wpa2" }] },
    /^wrong-password \(\d+\)$/,
  ],
  ["an absent network", { accessPoints: [] }, /^not-found \(201\)$/],
  [
    "a dead DHCP server",
    { accessPoints: [{ ...network, security: "wpa2", fail: "no-address" }] },
    /^no-address$/,
  ],
] as const)
  test.serial(`${name} has its reason, and is tried again within a minute`, async (t) => {
    const board = new FirmwareBoard({ defaults: good, world: worldOf(world) });
    await board.waitFor(/step=defaults[^]*step=defaults/);
    const [, defaults] = results(board);
    t.regex(defaults!.slice("defaults=".length), reason);
    const [first, second] = board.lines.filter((line) => line.includes("wifi: joining"));
    t.true(Number(/\d+/.exec(second!)![0]) - Number(/\d+/.exec(first!)![0]) < 60_000);
  });

test.serial("the defaults say how long an attempt of the first pass may take", async (t) => {
  const world = worldOf({ accessPoints: [{ ...broome, fail: "no-address" }] });
  const board = new FirmwareBoard({ world, defaults: { ...good, "wifi.addressMs": 2500 } });
  const [, ms] = await board.waitFor(/step=defaults result=no-address ms=(\d+)/);
  t.true(Number(ms) > 2500 && Number(ms) < 4000, ms);
});

test.serial(
  "a router that comes back late is found within 60 s, and credentials survive any number of failures",
  async (t) => {
    const board = new FirmwareBoard({ defaults: good });
    await board.waitFor(/result=online/);
    board.air.setFailure("Broome", "absent");
    await board.waitFor(/connection lost/);
    const mark = board.said.length;
    await board.waitFor(/(step=stored[^]*){6}/, mark);
    t.deepEqual(known(board), ["Broome"]);
    const back = board.clock.now();
    board.air.setFailure("Broome", undefined);
    await board.waitFor(/step=stored result=online/, mark);
    t.true(board.clock.now() - back < 60_000);
    t.true(board.clock.skippedMs > 60_000, "minutes went by");
  },
);

test.serial("a router whose appearance is news is tried before one that fails again and again", async (t) => {
  const world = worldOf({ accessPoints: [{ ...broome, fail: "absent" }, { ...other }] });
  const first = new FirmwareBoard({ defaults: good, world });
  first.air.setFailure("Broome", undefined);
  await first.waitFor(/result=online/);
  const derby = { "wifi.ssid": other.ssid, "wifi.password": other.password };
  const second = first.reset("external", { defaults: derby });
  await second.waitFor(/defaults result=online/);
  second.air.setFailure("Broome", "absent");
  second.air.setFailure("Derby", "no-address");
  const third = second.reset("external");
  await third.waitFor(/smartconfig=?[^]*step=stored result=no-address/);
  const mark = third.joins.length;
  third.air.setFailure("Broome", undefined);
  await third.waitFor(/step=stored result=online/);
  t.deepEqual(third.joins.slice(mark).at(-1), "Broome");
  t.true(third.joins.length - mark <= 2, "Derby was under way at most once more");
});

test.serial(
  "a new defaults block is tried before what is stored, and takes over when it works",
  async (t) => {
    const world = worldOf({ accessPoints: [broome, other] });
    const first = new FirmwareBoard({ defaults: good, world });
    await first.waitFor(/result=online/);
    const second = first.reset("external", {
      defaults: { "wifi.ssid": other.ssid, "wifi.password": other.password },
    });
    await second.waitFor(/result=online/);
    t.deepEqual(results(second), ["defaults=online"]);
    t.deepEqual(known(second), ["Derby", "Broome"]);
  },
);

test.serial(
  "a new defaults block that does not work leaves what was stored, and comes second from then on",
  async (t) => {
    const first = new FirmwareBoard({ defaults: good });
    await first.waitFor(/result=online/);
    const second = first.reset("external", { defaults: { ...good, "wifi.password": "mistyped-one" } });
    await second.waitFor(/result=online/);
    t.regex(results(second).join(), /^defaults=wrong-password \(\d+\),stored=online$/);
  },
);

test.serial(
  "a patched password that differs from the stored one of the same network is a try of its own",
  async (t) => {
    const first = new FirmwareBoard({ defaults: good });
    await first.waitFor(/result=online/);
    const second = first.reset("external", { defaults: { ...good, "wifi.password": "mistyped-one" } });
    await second.waitFor(/stored result=online/);
    second.air.setPassword("Broome", "mistyped-one"); // the router now has what was patched
    await second.waitFor(/step=stored result=wrong-password[^]*step=defaults result=online/);
    t.deepEqual(
      loadNetworks(second.store).map(({ password }) => password),
      ["mistyped-one"],
    );
  },
);

test.serial("why a network failed last is stored, and does not touch its credentials", async (t) => {
  const first = new FirmwareBoard({ defaults: good });
  await first.waitFor(/result=online/);
  first.air.setPassword("Broome", "changed-by-the-owner");
  await first.waitFor(/step=stored result=wrong-password/);
  const note = networkNote(first.store, Buffer.from("Broome"))!;
  t.regex(note.failure, /^wrong-password \(\d+\)$/);
  t.is(note.boot, 1);
  t.deepEqual(
    loadNetworks(first.store).map(({ password }) => password),
    [network.password],
  );
});

test.serial("a blank block never overrides what an earlier image brought", async (t) => {
  const first = new FirmwareBoard({ defaults: good });
  await first.waitFor(/defaults: imported 2 values/);
  const second = first.reset("external", { defaults: {} });
  await second.waitFor(/result=online/);
  t.notRegex(second.said, /imported/);
});

test.serial("the app goes on sampling while the network is away", async (t) => {
  let samples = 0;
  const board = new FirmwareBoard({
    app: ({ telemetry, timer }) => void timer.repeat(() => telemetry.add("n", (samples += 1)), 1000),
  });
  await board.until("100 samples", () => samples >= 100 || undefined);
  t.regex(board.said, /step=smartconfig result=timeout/, "the chain went on as well");
  t.notRegex(board.said, /wifi: address|outbox.*full/);
});

test.serial("slices in which nobody is heard are said once, and again after an attempt", async (t) => {
  const timeouts = (said: string) => said.match(/step=smartconfig result=timeout/g)?.length;
  const blank = new FirmwareBoard({ world: worldOf({ accessPoints: [other] }) });
  await blank.until("five minutes", () => blank.clock.now() >= 300_000 || undefined);
  t.is(timeouts(blank.said), 1, blank.said);
  const refused = new FirmwareBoard({
    world: worldOf({ accessPoints: [{ ...broome, fail: "refused" }] }),
    defaults: good,
  });
  await refused.until("five minutes", () => refused.clock.now() >= 300_000 || undefined);
  t.true(timeouts(refused.said)! > 3, refused.said);
});

test.serial("a phone that sends a wrong password again and again keeps no known network away", async (t) => {
  const phone = { at: 0, forMs: 300_000, via: other.ssid, ssid: network.ssid, password: "mistyped-6725" };
  const world = worldOf({
    accessPoints: [{ ...broome, fail: "absent" }, other],
    phones: [phone],
  });
  const board = new FirmwareBoard({ world, defaults: good });
  board.clock.set(60_000, () => board.air.setFailure(network.ssid, undefined));
  await board.waitFor(/step=(stored|defaults) result=online/);
  t.true(results(board).filter((result) => result.startsWith("smartconfig=")).length > 1);
  t.true(uptimeOf(board, /result=online/) < 120_000);
});

for (const [what, defaults, first] of [
  ["where nothing is known, to its end", {}, "smartconfig=online"],
  ["where a network is known, 45 s", { "wifi.ssid": "Kununurra" }, "smartconfig=timeout"],
] as const)
  test.serial(`a transfer that takes longer than a slice holds it: ${what}`, async (t) => {
    const ssid = "n".repeat(32);
    const slow = { ssid, password: "p".repeat(63) };
    const phone = { at: 1000, forMs: 300_000, via: ssid, sends: "v1", ...slow };
    const accessPoints = [{ ...slow, security: "wpa2" }];
    const board = new FirmwareBoard({
      world: worldOf({ accessPoints, phones: [phone], air: { loss: 0.5 } }),
      defaults,
    });
    await board.waitFor(/step=smartconfig result=(online|timeout)/);
    t.is(results(board).at(-1), first);
    const [, ms] = /step=smartconfig result=\S+ ms=(\d+)/.exec(board.said)!;
    const limitMs = first === "smartconfig=timeout" ? 46_000 : 300_000;
    t.true(uptimeOf(board, /step=smartconfig/) > 45_000 && Number(ms) < limitMs, board.said);
  });

test.serial(
  "a network that takes all the time between two slices does not do so the next time",
  async (t) => {
    const first = new FirmwareBoard({ world: worldOf({ accessPoints: [broome, other] }), defaults: good });
    await first.waitFor(/result=online/);
    first.air.setFailure("Broome", "no-address");
    first.air.setFailure("Derby", "refused");
    const derby = { "wifi.ssid": other.ssid, "wifi.password": other.password };
    const second = first.reset("external", { defaults: derby });
    await second.waitFor(/step=smartconfig result=timeout/);
    second.air.setFailure("Derby", undefined); // it was heard all the time: that is no news
    await second.waitFor(/step=defaults result=online/);
    t.true(uptimeOf(second, /step=defaults result=online/) < 120_000);
  },
);
