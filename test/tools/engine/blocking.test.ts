// Machines that are waited for: calls, errors, events, both kinds of end, and one machine after the other.

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turnOfEvents } from "node:timers/promises";
import { Machines } from "../../../tools/engine/blocking.js";
import {
  BusError,
  ESP8266_CREATION,
  link,
  type Engine,
  type Exit,
  type Stats,
  type Value,
} from "../../../tools/engine/engine.js";
import { testEngine } from "./run-modules.js";

interface Scene {
  start(source: string): Promise<{
    machine: ReturnType<Machines["run"]>;
    log: Value[][];
    stats: Stats[];
    exits: Exit[];
  }>;
}

function scene(t: ExecutionContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), "broome 'blocking'-")); // a shell sees this name
  const machines = new Machines(folder);
  t.teardown(() => {
    machines.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let programs = 0;
  return {
    async start(source) {
      const engine = await testEngine();
      const { archive } = await link(engine, {
        modules: [{ name: "main", source }],
        preload: [],
        resources: [],
      });
      const flashFile = join(folder, `${(programs += 1)}.flash`);
      writeFileSync(flashFile, archive);
      const log: Value[][] = [];
      const stats: Stats[] = [];
      const exits: Exit[] = [];
      const machine = machines.run(engine, {
        ...{ flashFile, offset: 0, size: archive.length, main: "main", creation: ESP8266_CREATION },
        onCall: (op, args) => {
          if (op === "fail") throw new BusError("no-luck", "not today");
          log.push(args);
          return args.length;
        },
        onIdle: (now) => void stats.push(now),
        onExit: (exit) => void exits.push(exit),
      });
      return { machine, log, stats, exits };
    },
  };
}

test("a turn answers every call, throws what the board throws, and ends when the machine is idle", async (t) => {
  const { machine, log, stats, exits } = await scene(t).start(`
    let answer = bus("log", "a", 1);
    try { bus("fail") } catch (error) { bus("log", error.code, answer) }
    globalThis.onBusEvent = (name, bytes) => bus("log", name, new Uint8Array(bytes).length);`);
  t.true(machine.busy);
  machine.turn();
  t.false(machine.busy);
  t.true(machine.idle);
  t.deepEqual(log, [
    ["a", 1],
    ["no-luck", 2],
  ]);
  machine.event("bytes", new Uint8Array(5_000));
  t.true(machine.busy);
  machine.turn();
  t.deepEqual(log.at(-1), ["bytes", 5_000]);
  t.is(stats.length, 2);
  t.true(stats[1]!.meter > stats[0]!.meter);
  machine.kill();
  machine.kill();
  await turnOfEvents();
  t.is(exits.length, 1);
});

test("a program that throws ends the turn, and the exit says why", async (t) => {
  const { machine, exits } = await scene(t).start(`bus("log"); throw new Error("too hot")`);
  machine.turn();
  t.false(machine.idle);
  await turnOfEvents();
  t.is(exits.length, 1);
  t.is(exits[0]!.abort?.status, "exception");
  t.regex(exits[0]!.abort!.message, /too hot/);
});

test("an engine that is not there is seen at once", (t) => {
  const machines = new Machines(mkdtempSync(join(tmpdir(), "broome-blocking-")));
  t.teardown(() => machines.close());
  const options = { flashFile: "", offset: 0, size: 0, main: "main", creation: ESP8266_CREATION };
  const silent = { onCall: () => undefined, onIdle: () => undefined, onExit: () => undefined };
  const engine = { binary: "/nowhere/engine" } as Engine;
  t.throws(() => machines.run(engine, { ...options, ...silent }), { code: "ENOENT" });
});

test("machines follow each other, whether they were killed while idle or in a call", async (t) => {
  const { start } = scene(t);
  for (let i = 0; i < 6; i += 1) {
    const { machine, log } = await start(`bus("log", ${i}); bus("log", "more");`);
    if (i % 2 === 0) machine.turn();
    machine.kill();
    t.deepEqual(log[0], i % 2 === 0 ? [i] : undefined);
  }
});
