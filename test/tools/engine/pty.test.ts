// The helper that opens a pseudo-terminal: bytes pass untouched both ways, line speed and opening are reported.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { SerialPort } from "serialport";
import { testEngine } from "./run-modules.js";

class Pty {
  private static readonly started = new Set<ChildProcess>();
  readonly child: ChildProcess;
  path = "";
  events: string[] = [];
  private received = Buffer.alloc(0);

  constructor(binary: string) {
    this.child = spawn(binary, [], { stdio: ["pipe", "pipe", "inherit", "pipe"] });
    Pty.started.add(this.child);
    (this.child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => {
      this.events.push(...text.split("\n").filter(Boolean));
    });
  }

  async start(): Promise<this> {
    const [first] = (await once(this.child.stdout!, "data")) as [Buffer];
    this.path = first.toString().trim();
    this.child.stdout!.on("data", (bytes: Buffer) => (this.received = Buffer.concat([this.received, bytes])));
    return this;
  }

  async take(length: number): Promise<Buffer> {
    await until(() => this.received.length >= length);
    const bytes = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return bytes;
  }

  write(bytes: Buffer): void {
    this.child.stdin!.write(bytes);
  }

  static endAll(): void {
    for (const child of this.started) child.kill();
  }
}

// A test that fails half-way leaves its helper, which would keep the runner from ending.
test.after.always(() => Pty.endAll());

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(10);
  if (!condition()) throw new Error("it did not happen within 10 s");
}

async function openPort(path: string, baudRate: number): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  return port;
}

const close = (port: SerialPort): Promise<void> => new Promise((resolve) => port.close(() => resolve()));

const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

test("all byte values pass both ways", async (t) => {
  const pty = await new Pty((await testEngine()).pty).start();
  const port = await openPort(pty.path, 115200);
  await until(() => pty.events.includes("open"));
  let got = Buffer.alloc(0);
  port.on("data", (bytes: Buffer) => (got = Buffer.concat([got, bytes])));
  const block = Buffer.concat([every, randomBytes(40_000)]);
  port.write(block);
  t.deepEqual(await pty.take(block.length), block);
  pty.write(block);
  await until(() => got.length >= block.length);
  t.deepEqual(got, block);
  await close(port);
  pty.child.stdin!.end();
  await once(pty.child, "exit");
});

test("opening, closing and line speed are reported", async (t) => {
  const pty = await new Pty((await testEngine()).pty).start();
  for (const baudRate of [115200, 1200, 460800]) {
    const port = await openPort(pty.path, baudRate);
    await until(() => pty.events.at(-1) !== "close" && pty.events.includes(`baud ${baudRate}`));
    await close(port);
    await until(() => pty.events.at(-1) === "close");
  }
  const seen = pty.events.filter((event) => event !== "baud 38400");
  t.deepEqual(
    seen.filter((event) => event.startsWith("baud")),
    ["baud 115200", "baud 1200", "baud 460800"],
  );
  t.is(seen.filter((event) => event === "open").length, 3);
  pty.child.stdin!.end();
  t.deepEqual(await once(pty.child, "exit"), [0, null]);
});

test("a short touch at 1200 baud is not missed", async (t) => {
  const pty = await new Pty((await testEngine()).pty).start();
  for (let i = 0; i < 5; i++) {
    // The rate is a state that the helper looks at: a touch counts from the moment when the rate before it was seen.
    for (const baudRate of [115200, 1200]) {
      pty.events = [];
      await close(await openPort(pty.path, baudRate));
      await until(() => pty.events.includes(`baud ${baudRate}`));
    }
  }
  t.deepEqual(
    pty.events.filter((event) => event.startsWith("baud")),
    ["baud 1200"],
  );
  pty.child.stdin!.end();
});

test("bytes that come in while nobody listens are lost, and do not block", async (t) => {
  const pty = await new Pty((await testEngine()).pty).start();
  pty.write(Buffer.alloc(100_000, 0x41));
  await sleep(100);
  const port = await openPort(pty.path, 115200);
  await until(() => pty.events.includes("open"));
  let got = "";
  port.on("data", (bytes: Buffer) => (got += bytes.toString("latin1")));
  pty.write(Buffer.from("now"));
  await until(() => got.length >= 3);
  t.is(got, "now");
  await close(port);
  pty.child.stdin!.end();
});
