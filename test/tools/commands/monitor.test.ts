// `broome monitor`: what the board says, what is typed, the end of it, and a port that goes and comes back.

import test, { type ExecutionContext } from "ava";
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRoot } from "../../../tools/project.js";
import { MonitorOutput } from "../../../tools/serial/monitor-output.js";
import { Monitor } from "../../../tools/serial/monitor.js";
import { openPort } from "../../../tools/serial/open.js";
import { openPorts, type Ports } from "../../../tools/simulator/ports.js";
import { openPty } from "../../../tools/simulator/pty.js";
import { UartLine } from "../../../tools/simulator/uart.js";
import { pause, until } from "../../contract/serial-port.js";
import { Rig } from "../esptool/rig.js";
import { ptyHelper } from "../serial/pty-helper.js";

const root = findRoot();

function monitor(
  t: ExecutionContext,
  port: string,
  argv: string[],
  stdin: "pipe" | "ignore" | number = "ignore",
) {
  const words = ["tools/bin/broome.mjs", "-p", port, "monitor", ...argv];
  const child = spawn(process.execPath, words, { cwd: root, stdio: [stdin, "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const heard = { out: "", err: "" };
  child.stdout!.on("data", (bytes: Buffer) => (heard.out += bytes.toString()));
  child.stderr!.on("data", (bytes: Buffer) => (heard.err += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const json = () => JSON.parse(heard.out.trim().split("\n").at(-1)!) as Record<string, unknown>;
  return { child, heard, ended, json };
}

test("it restarts the board, shows what it says from the first line on, and ends at a text", async (t) => {
  const rig = await Rig.open(t);
  const { heard, ended } = monitor(t, rig.ports.rfc2217, ["--until", "app: hello", "--for", "20"]);
  t.is(await ended, 0, heard.err);
  t.regex(heard.out, /^ESP-ROM:esp32c3[^]*app: hello/);
  t.is(rig.starts.length, 2);
});

test("--no-reset leaves the board alone; --for ends it; --json gives the figures and keeps stdout clean", async (t) => {
  const rig = await Rig.open(t);
  const run = monitor(t, rig.ports.rfc2217, ["--no-reset", "--for", "3", "--json"]);
  await until(() => rig.ports.uart.connected);
  await pause(50);
  rig.ports.uart.toHost(Buffer.from("tick\n"));
  t.is(await run.ended, 0, run.heard.err);
  const { ok, port, bytes, end, reconnects } = run.json();
  t.deepEqual([ok, port, bytes, end, reconnects], [true, rig.ports.rfc2217, 5, "time", 0]);
  t.is(run.heard.out.trim().split("\n").length, 1);
  t.true(run.heard.err.includes("tick"));
  t.is(rig.starts.length, 1);
});

test("a text that does not come in time is an error", async (t) => {
  const rig = await Rig.open(t);
  const run = monitor(t, rig.ports.tcp, ["--until", "never", "--for", "0.3", "--json"]);
  t.is(await run.ended, 1);
  t.is(run.json().code, "text-not-seen");
});

test("lines from a pipe reach the board; the end of the pipe ends nothing", async (t) => {
  const rig = await Rig.open(t);
  let received = "";
  rig.ports.uart.onFromHost((bytes) => {
    received += Buffer.from(bytes).toString();
    if (received.endsWith("two\n")) setTimeout(() => rig.ports.uart.toHost(Buffer.from("got both\n")), 100);
  });
  const run = monitor(t, rig.ports.tcp, ["--until", "got both", "--for", "20"], "pipe");
  run.child.stdin!.end("one\ntwo\n");
  t.is(await run.ended, 0, run.heard.err);
  t.is(received, "one\ntwo\n");
});

test("in a terminal every key goes to the board as it is typed; Ctrl-T Ctrl-R restarts it, Ctrl-] leaves", async (t) => {
  const rig = await Rig.open(t);
  let received = "";
  rig.ports.uart.onFromHost((bytes) => (received += Buffer.from(bytes).toString()));
  const keyboard = new UartLine();
  const terminal = await openPty(ptyHelper, keyboard);
  t.teardown(() => terminal.close());
  const fd = openSync(terminal.path, "r+");
  const type = (text: string) => keyboard.toHost(Buffer.from(text));
  const run = monitor(t, rig.ports.rfc2217, ["--json"], fd);
  await until(() => run.heard.err.includes("hello"));
  type("a\r");
  await until(() => received === "a\r");
  t.is(received, "a\r");
  type("\x14\x12");
  await until(() => rig.starts.length === 3);
  t.is(rig.starts.length, 3);
  type("\x14\x08");
  await until(() => run.heard.err.includes("this list"));
  type("\x14\x14");
  await until(() => received.endsWith("\x14"));
  type("\x1d");
  t.is(await run.ended, 0, run.heard.err);
  closeSync(fd);
  t.is(run.json().end, "left");
});

test("--timestamps puts the time before each line, --log keeps a copy", async (t) => {
  const rig = await Rig.open(t);
  const folder = mkdtempSync(join(tmpdir(), "broome-monitor-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "board.log");
  const argv = ["--timestamps", "--log", file, "--until", "app: hello", "--for", "20"];
  const { heard, ended } = monitor(t, rig.ports.rfc2217, argv);
  t.is(await ended, 0, heard.err);
  const lines = heard.out.split("\n").filter((line) => line !== "");
  t.true(lines.length > 1);
  for (const line of lines) t.regex(line, /^\d\d:\d\d:\d\d\.\d{3} /);
  t.is(readFileSync(file, "utf8"), heard.out);
});

test("a log that cannot be written is an error at once", async (t) => {
  const rig = await Rig.open(t);
  const run = monitor(t, rig.ports.tcp, ["--log", "/nowhere/board.log", "--json"]);
  t.is(await run.ended, 1);
  t.is(run.json().code, "log-not-writable");
});

test("times stand at the beginnings of lines, however the bytes are cut up", (t) => {
  const parts: Uint8Array[] = [];
  const output = new MonitorOutput({
    show: (bytes) => parts.push(bytes),
    note: () => undefined,
    now: () => new Date(2026, 0, 2, 3, 4, 5, 6),
    root,
  });
  output.take(Buffer.from("before\n"));
  output.timestamps = true;
  for (const byte of Buffer.from("one\ntw\u00f6\n\nlast")) output.take(Uint8Array.of(byte));
  const stamp = "03:04:05.006 ";
  t.is(Buffer.concat(parts).toString(), `before\n${stamp}one\n${stamp}tw\u00f6\n${stamp}\n${stamp}last`);
});

test("a line of ours does not run into what the board has begun to say: that is shown again below it", (t) => {
  let shown = "";
  const output = new MonitorOutput({
    show: (bytes) => (shown += Buffer.from(bytes).toString()),
    note: (text) => (shown += `--- ${text}\n`),
    now: () => new Date(),
    root,
  });
  output.say("first");
  output.take(Buffer.from("booted\nPass"));
  output.take(Buffer.from("word: "));
  output.say("one", "two");
  output.take(Buffer.from("***\n"));
  output.say("three");
  output.take(Buffer.from("Netw"));
  output.close();
  t.is(shown, "--- first\nbooted\nPassword: \n--- one\n--- two\nPassword: ***\n--- three\nNetw\n");
});

test("the places of a crash are shown with the source that stands there; other lines and other files are left alone", (t) => {
  const notes: string[] = [];
  const output = new MonitorOutput({
    show: () => undefined,
    note: (text) => notes.push(text),
    now: () => new Date(),
    root,
  });
  const say = (line: string) => output.take(Buffer.from(`${line}\r\n`));
  say("I (5) app: firmware/main:1 is no crash");
  say(
    "Guru Meditation Error: Core  0 panic'ed (exception). TypeError at firmware/main:3, device/bus:1, firmware/../../secret:1",
  );
  t.is(notes.length, 2);
  t.regex(notes[0]!, /^firmware\/main\.ts:3: import device from/);
  t.regex(notes[1]!, /^firmware\/device\/virtual\/bus\.ts:1: \/\//);
});

test("Ctrl-C ends it with 130", async (t) => {
  const rig = await Rig.open(t);
  const run = monitor(t, rig.ports.rfc2217, []);
  await until(() => run.heard.out.includes("hello"));
  run.child.kill("SIGINT");
  t.is(await run.ended, 130, run.heard.err);
});

test("a port that is not there is an error at once", async (t) => {
  const run = monitor(t, "socket://127.0.0.1:1", ["--json"]);
  t.is(await run.ended, 1);
  t.is(run.json().code, "port-not-found");
});

test("a port that vanishes is waited for, and the conversation goes on", async (t) => {
  let ports: Ports = await openPorts();
  t.teardown(() => ports.close());
  const heard: string[] = [];
  const notes: string[] = [];
  const it = new Monitor({
    open: () => openPort(ports.tcp, { baudRate: 115200 }),
    onBytes: (bytes) => heard.push(Buffer.from(bytes).toString()),
    onNote: (note) => notes.push(note),
  });
  await it.start(true);
  ports.uart.toHost(Buffer.from("before"));
  await until(() => heard.length === 1);
  await ports.close();
  await until(() => notes.length === 1);
  await it.send(Buffer.from("lost"));
  ports = await openPorts();
  await until(() => ports.uart.connected);
  await until(() => it.reconnects === 1);
  ports.uart.toHost(Buffer.from("after"));
  let received = "";
  ports.uart.onFromHost((bytes) => (received += Buffer.from(bytes).toString()));
  await it.send(Buffer.from("back"));
  await until(() => heard.length === 2 && received === "back");
  t.deepEqual(heard, ["before", "after"]);
  t.is(received, "back");
  t.regex(notes.join("\n"), /has gone[^]*waiting for it\n.*is back/);
  await it.close();
});
