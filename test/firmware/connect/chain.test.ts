// The first-boot chain on the simulated radio, in fast time: which step is tried when, what is kept, what is said.

import test from "ava";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";

const good = { "wifi.ssid": network.ssid, "wifi.password": network.password };
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

test.serial("nothing known: every step in order says why", async (t) => {
  const board = new FirmwareBoard({});
  await board.waitFor(/step=serial/);
  t.deepEqual(results(board).slice(0, 4), [
    "stored=none",
    "defaults=none",
    "smartconfig=not-available",
    "serial=none",
  ]);
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
  test.serial(`${name} has its reason, and is tried again`, async (t) => {
    const board = new FirmwareBoard({ defaults: good, world: worldOf(world) });
    await board.waitFor(/step=defaults[^]*step=defaults/);
    const [, defaults] = results(board);
    t.regex(defaults!.slice("defaults=".length), reason);
  });

test.serial(
  "a router that comes back late is found, and credentials survive any number of failures",
  async (t) => {
    const board = new FirmwareBoard({ defaults: good });
    await board.waitFor(/result=online/);
    board.air.setFailure("Broome", "absent");
    await board.waitFor(/connection lost/);
    const mark = board.said.length;
    await board.waitFor(/(step=serial[^]*){6}/, mark);
    t.deepEqual(known(board), ["Broome"]);
    board.air.setFailure("Broome", undefined);
    await board.waitFor(/step=(stored|defaults) result=online/, mark); // whichever is under way when it comes
    t.true(board.clock.skippedMs > 60_000, "minutes went by");
  },
);

test.serial(
  "a new defaults block is tried before what is stored, and takes over when it works",
  async (t) => {
    const world = worldOf({ accessPoints: [{ ...network, security: "wpa2", channel: 6 }, other] });
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
  t.pass();
});
