// A board as its user sees it: buttons, crashes, power, memory, and who may talk to it.

import test from "ava";
import { openPort } from "../../../tools/serial/open.js";
import { encodeSlip } from "../../../tools/esptool/slip.js";
import { encodeRequest, Op, syncData } from "../../../tools/esptool/command.js";
import { askBoard } from "../../../tools/simulator/control.js";
import { checkWorld } from "../../../tools/simulator/world.js";
import type { BroomeError } from "../../../tools/error.js";
import { bench, flashFile, imageOf } from "./small-firmware.js";

const LISTENER = `
globalThis.onBusEvent = function (name, first) {
  if (name === "console.bytes") bus("console.write", first);
  if (name === "timer.fired") say("timer " + first);
};
say("ready " + bus("system.info")[2]);
`;
const image = await imageOf(LISTENER);

test("EN and IO0 over RFC 2217: reset, and download mode and back", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: image }));
  await board.said(/ready power-on/);
  const port = await openPort(board.simulation.boards[0]!.reach.port, { baudRate: 115200 });
  port.listen(() => undefined);
  let mark = board.text.length;
  await port.setLines({ dtr: false, rts: true });
  await port.setLines({ dtr: false, rts: false });
  await board.said(/boot:0xc[^]*ready power-on/, mark);

  mark = board.text.length;
  await port.setLines({ dtr: false, rts: true });
  await port.setLines({ dtr: true, rts: false });
  await board.said(/boot:0x4 \(DOWNLOAD[^]*waiting for download/, mark);
  t.is(board.simulation.boards[0]!.board.state, "download");

  mark = board.text.length;
  await port.setLines({ dtr: false, rts: true });
  t.is(board.simulation.boards[0]!.board.state, "held");
  await port.setLines({ dtr: false, rts: false });
  await board.said(/ready power-on/, mark);
  await port.close();
});

test("what the client types reaches the program, 128 bytes at a time, and none is lost", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: image }));
  await board.said(/ready/);
  const port = await openPort(board.simulation.boards[0]!.reach.tcp, { baudRate: 115200 });
  let heard = "";
  port.listen((bytes) => (heard += Buffer.from(bytes).toString("latin1")));
  const sent = Array.from({ length: 400 }, (_, i) => `line ${i}\n`).join("");
  await port.write(new Uint8Array(Buffer.from(sent)));
  await board.said(/line 399\n/);
  await new Promise((done) => setTimeout(done, 20));
  t.is(heard, sent);
  await port.close();
});

test("a second client is refused while there is one", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: image }));
  await board.said(/ready/);
  const { reach } = board.simulation.boards[0]!;
  const first = await openPort(reach.port, { baudRate: 115200 });
  const error = await t.throwsAsync<BroomeError>(() => openPort(reach.port, { baudRate: 115200 }));
  t.is(error?.code, "port-busy");
  await first.close();
});

test("a SYNC within 300 ms after a reset means download mode, later it is input", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: image }));
  await board.said(/ready/);
  const { reach, board: one } = board.simulation.boards[0]!;
  const port = await openPort(reach.tcp, { baudRate: 115200 });
  port.listen(() => undefined);
  const sync = encodeSlip(encodeRequest({ op: Op.SYNC, data: syncData(), checksum: 0 }));
  await new Promise((done) => setTimeout(done, 350));
  await port.write(sync);
  await board.said(/\x07\x07\x12\x20/);
  t.is(one.state, "running");

  for (let tries = 0; tries < 20 && one.state !== "download"; tries += 1) {
    one.reset(); // a busy machine may need more than the 300 ms
    await port.write(sync.slice(0, 10));
    await port.write(sync.slice(10));
    await new Promise((done) => setTimeout(done, 400));
  }
  t.is(one.state, "download");
  await board.said(/waiting for download/);
  await port.close();
});

const crashes: [title: string, source: string, says: RegExp][] = [
  [
    "an exception",
    `throw new Error("the tide is out");`,
    /Guru Meditation Error: Core {2}0 panic'ed \(exception\)\. .*the tide is out/,
  ],
  [
    "an unhandled rejection",
    `Promise.reject(new Error("no camels"));`,
    /panic'ed \(exception\)\. .*no camels/,
  ],
  ["memory full", `const all = []; for (;;) all.push(new Uint8Array(100));`, /panic'ed \(memory full\)/],
  [
    "a stack overflow",
    `function deeper(n) { return deeper(n + 1) + 1; } deeper(0);`,
    /panic'ed \(stack overflow\)/,
  ],
];

for (const [title, source, says] of crashes)
  test(`crash: ${title} is told, and the next start knows of it`, async (t) => {
    const crashing = await imageOf(
      `if (bus("system.info")[2] === "exception") say("after an exception"); else { ${source} }`,
    );
    const board = await bench(t, flashFile(t, { ota_0: crashing }));
    await board.said(/after an exception/);
    t.regex(board.text, says);
    t.regex(board.text, /Rebooting\.\.\.\r\nESP-ROM[^]*rst:0xc/);
  });

test("restart is a software reset, and nothing of the program runs after it", async (t) => {
  const restarting = await imageOf(
    `if (bus("system.info")[2] === "software") say("again");
     else { bus("system.restart"); say("still here"); }`,
  );
  const board = await bench(t, flashFile(t, { ota_0: restarting }));
  await board.said(/again/);
  t.notRegex(board.text, /still here/);
});

test("a program that is never idle meets the watchdog, one that feeds it does not", async (t) => {
  const busy = await imageOf(
    `if (bus("system.info")[2] === "watchdog") say("bitten");
     else { for (const end = bus("system.uptime") + 4500; bus("system.uptime") < end; ) bus("system.feed"); say("fed"); for (;;); }`,
  );
  const board = await bench(t, flashFile(t, { ota_0: busy }), { watchdogMs: 3000 });
  await board.said(/fed\n[^]*task_wdt: Task watchdog got triggered[^]*bitten/);
  t.pass();
});

test("a board that crashes at every start slows down", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: await imageOf(`throw new Error("always");`) }));
  await board.said(/(Rebooting[^]*){7}/);
  t.true(board.notes.some((note) => /restarts again and again: the next one in 250 ms/.test(note)));
  t.true(board.notes.some((note) => /next one in 500 ms/.test(note)));
});

test("the power can go now, or in the middle of an operation of the flash", async (t) => {
  const writer = await imageOf(`
    const [handle] = bus("flash.open", "broome");
    const first = new Uint8Array(bus("flash.read", handle, 0, 1))[0];
    if (first === 255) { bus("flash.write", handle, 0, new Uint8Array(64)); say("written"); }
    else say("found");
    globalThis.onBusEvent = function () { bus("flash.erase", handle, 0); say("erased"); };
  `);
  const board = await bench(t, flashFile(t, { ota_0: writer }));
  await board.said(/written/);
  const { reach, board: one } = board.simulation.boards[0]!;
  await askBoard(reach.control, { op: "power-cut" });
  await board.said(/ESP-ROM[^]*POWERON[^]*found/, board.text.length);

  const mark = board.text.length;
  await askBoard(reach.control, { op: "power-cut", at: 1 });
  const port = await openPort(reach.tcp, { baudRate: 115200 });
  await new Promise((done) => setTimeout(done, 350)); // not within the time in which a SYNC is looked for
  await port.write(Uint8Array.of(65));
  await board.said(/POWERON[^]*(found|written)/, mark);
  t.notRegex(board.text.slice(mark), /erased/);
  t.is(one.status().cause, "power-on");
  await port.close();
});

test("a run with its peaks of arena and stack passes, with less it is out of memory or overflows", async (t) => {
  const hungry = await imageOf(
    `const all = []; for (let i = 0; i < 60; i++) all.push(new Uint8Array(100)); say("fed " + all.length);`,
  );
  const path = flashFile(t, { ota_0: hungry });
  const first = await bench(t, path);
  await first.said(/fed 60/);
  await new Promise((done) => setTimeout(done, 50));
  const { arena, stack } = (await askBoard(first.simulation.boards[0]!.reach.control, {
    op: "status",
  })) as Record<"arena" | "stack", { peak: { boot: number }; limit: number }>;
  await first.close();
  const scale = arena.limit / 32768; // 2 on a 64-bit engine
  t.true(arena.peak.boot > 10_000 && arena.peak.boot <= arena.limit, JSON.stringify(arena));
  t.deepEqual(JSON.parse(first.notes.at(-1)!), { arena, stack });
  t.is(stack.limit, 256);

  for (const [slots, end] of [
    [stack.peak.boot, /fed 60/],
    [stack.peak.boot - 1, /panic'ed \(stack overflow\)/],
  ] as const) {
    const board = await bench(t, path, { stack: slots });
    await board.said(end);
    await board.close();
  }

  const enough = await bench(t, path, { arena: Math.ceil((arena.peak.boot / scale) * 1.05) });
  await enough.said(/fed 60/);
  await enough.close();
  const tooLittle = await bench(t, path, { arena: Math.floor((arena.peak.boot / scale) * 0.9) });
  await tooLittle.said(/panic'ed \(memory full\)/);
  await tooLittle.close();
});

test("a fast clock passes days of timers in no time, and is real while a client listens", async (t) => {
  const sleeper = await imageOf(`
    globalThis.onBusEvent = function (name) { if (name === "timer.fired") say("woke " + Math.round(bus("system.uptime") / 1000)); };
    bus("timer.set", 86400000, false);
    say("asleep");
  `);
  const path = flashFile(t, { ota_0: sleeper });
  const world = checkWorld({ clock: "fast", start: "2026-07-01T00:00:00Z" });
  const board = await bench(t, path, { world });
  await board.said(/woke 864\d\d/);

  const port = await openPort(board.simulation.boards[0]!.reach.tcp, { baudRate: 115200 });
  await new Promise((done) => setTimeout(done, 50));
  const mark = board.text.length;
  board.simulation.boards[0]!.board.reset();
  await board.said(/asleep/, mark);
  await new Promise((done) => setTimeout(done, 200));
  t.notRegex(board.text.slice(mark), /woke/);
  await port.close();
  await board.said(/woke 864\d\d/, mark);
});

test("two boards of a world have their own flash, MAC, address and ports", async (t) => {
  const joiner = await imageOf(`
    globalThis.onBusEvent = function (name, address) { if (name === "station.address") say("address " + address); };
    bus("station.join", new Uint8Array([66]).buffer, "cable-beach", undefined, undefined);
  `);
  const path = flashFile(t, { ota_0: joiner });
  flashFile(t, {}); // only to have its folder
  const world = checkWorld({ clock: "fast", accessPoints: [{ ssid: "B", password: "cable-beach" }] });
  const board = await bench(t, path, { count: 2, world });
  await board.said(/address 192\.168\.6\.2/);
  const [first, second] = board.simulation.boards.map(({ reach }) => reach);
  t.not(first!.mac, second!.mac);
  t.not(first!.port, second!.port);
  t.true(second!.flash.endsWith("board-1.flash"));
  t.regex(first!.mac, /^02:/);
});

test("no two boards on one flash file", async (t) => {
  const path = flashFile(t, { ota_0: image });
  await bench(t, path);
  const error = await t.throwsAsync<BroomeError>(() => bench(t, path));
  t.is(error?.code, "flash-busy");
  t.true(error?.message.includes(String(process.pid)));
});

test("the control socket answers with the status, and refuses what it does not know", async (t) => {
  const board = await bench(t, flashFile(t, { ota_0: image }));
  await board.said(/ready/);
  const { control, mac } = board.simulation.boards[0]!.reach;
  t.like(await askBoard(control, { op: "status" }), {
    state: "running",
    slot: "ota_0",
    version: "1.0.0",
    mac,
  });
  await askBoard(control, { op: "gpio", pin: 9, high: false });
  t.is((await askBoard(control, { op: "reset" })).state, "download");
  await askBoard(control, { op: "gpio", pin: 9, high: true });
  t.is((await askBoard(control, { op: "reset" })).state, "running");
  t.is((await askBoard(control, { op: "download" })).state, "download");
  const error = await t.throwsAsync<BroomeError>(() => askBoard(control, { op: "explode" } as never));
  t.is(error?.code, "usage");
  await board.close();
  const gone = await t.throwsAsync<BroomeError>(() => askBoard(control, { op: "status" }));
  t.is(gone?.code, "board-not-found");
});

test("in real time a program waits for the flash that it erases and programs", async (t) => {
  const app = await imageOf(`
    const [handle] = bus("flash.open", "broome");
    function timed(what) {
      const start = bus("system.uptime");
      what();
      return Math.round(bus("system.uptime") - start);
    }
    const erase = timed(() => { for (let i = 0; i < 4; i++) bus("flash.erase", handle, i); });
    const page = timed(() => bus("flash.write", handle, 0, new Uint8Array(4096)));
    say("took " + [erase, page].join(" "));
  `);
  const board = await bench(t, flashFile(t, { ota_0: app }), { paced: true });
  const [, ...ms] = await board.said(/took (\d+) (\d+)/, 0, 30_000);
  const [erase, page] = ms.map(Number) as [number, number];
  const late = 20_000; // of a machine with other things to do
  t.true(erase >= 4 * 45 - 1 && erase < 4 * 45 + late, `${erase} ms for four sectors`);
  t.true(page >= 16 * 0.6 - 1 && page < 16 * 0.6 + late, `${page} ms for 16 pages`);
});
