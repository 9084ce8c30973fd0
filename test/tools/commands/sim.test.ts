// `broome sim` as a process: its first line, its end, and what is left when it is killed.

import test, { type ExecutionContext } from "ava";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { askBoard } from "../../../tools/simulator/control.js";
import { flashFile, imageOf, root } from "../simulator/small-firmware.js";

const bin = join(root, "tools/bin/broome.mjs");

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function broome(args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return { child, ended };
}

type Line = Record<"port" | "rfc2217" | "tcp" | "control" | "mac" | "flash", string>;

async function start(t: ExecutionContext, args: string[]) {
  const { child, ended } = broome(["sim", ...args]);
  t.teardown(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout! });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  return { child, ended, reach: JSON.parse(first) as Line };
}

async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`never seen: ${what}`);
}

/** Appends the number of its start to the data partition, again and again; says what it found. */
const counter = await imageOf(`
  const [handle, size] = bus("flash.open", "broome");
  let at = 0;
  let runs = 0;
  for (; at < size; at += 4) {
    const record = new Uint8Array(bus("flash.read", handle, at, 4));
    if (record[0] === 255) break;
    runs = record[0];
  }
  say("found " + runs + " runs, " + bus("system.info")[2]);
  const record = new Uint8Array(4).fill(runs + 1);
  globalThis.onBusEvent = function () {
    if (at < size) bus("flash.write", handle, at, record);
    at += 4;
  };
  bus("timer.set", 1, true);
`);

test.serial(
  "-p is the TCP port of the board, so that it can be plugged in again at the same place",
  async (t) => {
    const flash = flashFile(t, { ota_0: counter });
    const first = await start(t, ["--flash", flash]);
    const port = first.reach.rfc2217.split(":").at(-1)!;
    const taken = await broome(["sim", "-p", port]).ended;
    t.is(taken.code, 1);
    t.regex(taken.stderr, new RegExp(`^port-busy: port ${port} of 127`));
    first.child.kill("SIGINT");
    await first.ended;
    const again = await start(t, ["--flash", flash, "-p", first.reach.rfc2217]);
    t.is(again.reach.rfc2217, first.reach.rfc2217);
    for (const [argv, why] of [
      [["-p", "/dev/ttyUSB0"], /cannot be at \/dev\/ttyUSB0/],
      [["-p", "70000"], /cannot be at 70000/],
      [["-p", "4000", "--count", "2"], /2 boards cannot share port 4000/],
    ] as const) {
      const { code, stderr } = await broome(["sim", ...argv]).ended;
      t.is(code, 2, stderr);
      t.regex(stderr, why);
    }
  },
);

test.serial(
  "the first line tells how the board is reached; SIGTERM ends it and removes what was temporary",
  async (t) => {
    const { child, ended, reach } = await start(t, ["--download"]);
    t.regex(reach.port, /^rfc2217:\/\/127\.0\.0\.1:\d+$/);
    t.is(reach.rfc2217, reach.port);
    t.regex(reach.tcp, /^socket:\/\/127\.0\.0\.1:\d+$/);
    t.regex(reach.mac, /^02(:[0-9a-f]{2}){5}$/);
    t.is((await askBoard(reach.control, { op: "status" })).state, "download");
    t.true(existsSync(reach.flash));
    child.kill("SIGTERM");
    const { code } = await ended;
    t.is(code, 130);
    t.false(existsSync(reach.flash));
    t.false(existsSync(reach.control));
  },
);

test.serial("what a killed process left behind is gone with the next one", async (t) => {
  const { child, ended, reach } = await start(t, ["--download"]);
  t.is(statSync(dirname(reach.control)).mode & 0o777, 0o700);
  child.kill("SIGKILL");
  await ended;
  t.true(existsSync(reach.flash) && existsSync(reach.control));
  const next = await start(t, ["--download"]);
  t.false(existsSync(reach.flash) || existsSync(reach.control));
  next.child.kill("SIGTERM");
  await next.ended;
});

test.serial(
  "killed with SIGKILL while it writes, and started again: it goes on from what is in its flash",
  async (t) => {
    const flash = flashFile(t, { ota_0: counter });
    const log = join(dirname(flash), "uart.log");
    for (let run = 0; run < 4; run += 1) {
      const { child, ended, reach } = await start(t, ["--flash", flash, "--log", log]);
      await until(
        `run ${run}`,
        () => existsSync(log) && readFileSync(log, "utf8").includes(`found ${run} runs, power-on`),
      );
      const { pid } = (await askBoard(reach.control, { op: "status" })) as { pid: number };
      await new Promise((done) => setTimeout(done, 20 + 13 * run));
      child.kill("SIGKILL");
      await ended;
      t.true(existsSync(`${flash}.lock`)); // void: its process is gone
      await until("the engine's end", () => !isAlive(pid));
    }
  },
);

test.serial("two processes cannot have the same flash", async (t) => {
  const flash = flashFile(t, { ota_0: counter });
  await start(t, ["--flash", flash]);
  const { code, stdout } = await broome(["sim", "--flash", flash, "--json"]).ended;
  t.is(code, 1);
  t.like(JSON.parse(stdout.trim().split("\n").at(-1)!), { ok: false, code: "flash-busy" });
});

test.serial("hands: gpio, power-cut and status from the command line", async (t) => {
  const { reach } = await start(t, ["--flash", flashFile(t, { ota_0: counter })]);
  const act = async (...args: string[]) => {
    const { code, stdout } = await broome(["sim", ...args, "--control", reach.control, "--json"]).ended;
    return { exit: code, ...(JSON.parse(stdout) as Record<string, unknown>) };
  };
  t.like(await act("status"), { exit: 0, ok: true, state: "running", slot: "ota_0" });
  t.like(await act("gpio", "9=0"), { exit: 0, pins: { 9: false } });
  t.like(await act("reset"), { exit: 0, state: "download" });
  t.like(await act("gpio", "nine"), { exit: 2, ok: false });
  await act("gpio", "9=1");
  await act("reset");
  await act("power-cut", "--at", "3");
  await until("the cut", async () => (await askBoard(reach.control, { op: "status" })).cause === "power-on");
});

const refused: [title: string, args: string[], exit: number, code: string][] = [
  ["an unknown action", ["sim", "explode", "--control", "/tmp/x"], 2, "usage"],
  ["an action without a board", ["sim", "reset"], 2, "usage"],
  ["a board that is not there", ["sim", "reset", "--control", "/nonexistent/sim"], 1, "board-not-found"],
  ["no boards", ["sim", "--count", "0"], 2, "usage"],
  ["an unknown chip", ["sim", "--chip", "esp99"], 1, "chip-unsupported"],
  ["a flash chip that nobody makes", ["sim", "--flash-size", "3MB"], 2, "usage"],
  ["a MAC that could be a real board's", ["sim", "--mac", "24:0a:c4:00:00:01"], 1, "mac-invalid"],
  ["a world that is not there", ["sim", "--world", "/nonexistent.json"], 1, "world-invalid"],
];

for (const [title, args, exit, expected] of refused)
  test.serial(`refused: ${title}`, async (t) => {
    const { code, stdout } = await broome([...args, "--json"]).ended;
    t.is(code, exit);
    t.like(JSON.parse(stdout), { ok: false, code: expected });
  });

test.serial("a flash file of another size is refused and left as it is", async (t) => {
  const path = join(dirname(flashFile(t, {})), "short.flash");
  writeFileSync(path, "short");
  const { code, stdout } = await broome(["sim", "--flash", path, "--json"]).ended;
  t.is(code, 1);
  t.like(JSON.parse(stdout), { ok: false, code: "flash-size" });
  t.is(readFileSync(path, "utf8"), "short");
  t.false(existsSync(`${path}.lock`));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")); // ended, and not yet waited for
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH" && process.platform !== "linux";
  }
}
