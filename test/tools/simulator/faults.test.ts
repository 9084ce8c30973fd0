// Faults of a world, as a board that runs meets them.

import test from "ava";
import { createServer, type AddressInfo } from "node:net";
import { checkWorld } from "../../../tools/simulator/world.js";
import { bench, flashFile, imageOf } from "./small-firmware.js";

const accessPoints = [{ ssid: "B", password: "cable-beach" }];

/** Joins, tells what happens, and tries again whenever it is thrown out. */
const joiner = await imageOf(`
  const ssid = new Uint8Array([66]);
  const join = () => bus("station.join", ssid, "cable-beach", undefined, undefined);
  const seconds = () => Math.floor(bus("system.uptime") / 1000);
  globalThis.onBusEvent = function (name, first) {
    if (name === "station.address") say("online at " + seconds());
    if (name === "station.lost") { say("lost " + first + " at " + seconds()); bus("timer.set", 5000, false); }
    if (name === "timer.fired") join();
  };
  say("start " + bus("system.info")[2]);
  join();
`);

test("a router that goes and comes back within a quarter of an hour of fast time", async (t) => {
  const world = checkWorld({
    seed: 7,
    clock: "fast",
    accessPoints,
    faults: [
      { at: 60_000, what: "vanish", ssid: "B" },
      { at: 900_000, what: "appear", ssid: "B" },
    ],
  });
  const began = performance.now();
  const board = await bench(t, flashFile(t, { ota_0: joiner }), { world });
  await board.said(/online at 0\n[^]*lost 200 at 6[01]\n[^]*lost 201 at \d+\n[^]*online at 90\d\n/);
  const { nowMs, skippedMs } = board.simulation.boards[0]!.board.status().clock as Record<string, number>;
  t.log(`virtual ${nowMs} ms, skipped ${skippedMs}, wall ${Math.round(performance.now() - began)}`);
  t.true(skippedMs! > 850_000);
});

test("reset and power cut at their moments", async (t) => {
  const world = checkWorld({
    clock: "fast",
    accessPoints,
    faults: [
      { at: 60_000, what: "reset" },
      { at: 120_000, what: "power-cut", board: 0 },
      { at: 180_000, what: "reset", board: 1 }, // there is none
    ],
  });
  const board = await bench(t, flashFile(t, { ota_0: joiner }), { world });
  await board.said(/(start power-on\n[^]*){3}online at 0/);
  t.is(board.simulation.boards[0]!.board.status().resets, 3);
});

test("a fast clock goes on while a router loses every packet, and stops for a server that takes its time", async (t) => {
  const server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const image = await imageOf(`
    let handle;
    globalThis.onBusEvent = function (name, first, second) {
      if (name === "station.address") {
        handle = bus("tcp.open", "127.0.0.1", ${port});
        bus("timer.set", 60000, false);
      }
      if (name === "tcp.writable") say("connected");
      if (name === "timer.fired") { say("gave up"); bus("tcp.close", handle); }
    };
    bus("station.join", new Uint8Array([66]), "cable-beach", undefined, undefined);
  `);
  const deaf = checkWorld({ clock: "fast", accessPoints: [{ ...accessPoints[0], fail: "unreachable" }] });
  const lost = await bench(t, flashFile(t, { ota_0: image }), { world: deaf });
  await lost.said(/gave up/);
  t.notRegex(lost.text, /connected/);

  const board = await bench(t, flashFile(t, { ota_0: image }), {
    world: checkWorld({ clock: "fast", accessPoints }),
  });
  await board.said(/connected/);
  await new Promise((done) => setTimeout(done, 200));
  t.notRegex(board.text, /gave up/);
});
