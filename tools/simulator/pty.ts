// A pseudo-terminal as a port of the board: a small C helper holds its master, since Node cannot open one.

import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { BroomeError } from "../error.js";
import { BUSY_NOTICE } from "../serial/com-port.js";
import type { Client, UartLine } from "./uart.js";

const START_TIMEOUT_MS = 5000;
const MAX_LINE = 256; // bytes
/** Bytes and `open`/`close` come by two pipes, so either may be a little early. */
const SKEW_MS = 20;
const MAX_EARLY_CHUNKS = 64;

export interface Pty {
  /** What a client opens: /dev/pts/3. */
  readonly path: string;
  close(): void;
}

/** Starts the helper. @throws BroomeError `pty-failed` */
export async function openPty(helper: string, uart: UartLine): Promise<Pty> {
  const child = spawn(helper, [], { stdio: ["pipe", "pipe", "ignore", "pipe"] });
  child.stdin!.on("error", () => undefined); // told by its exit
  const session = new PtySession(child, uart);
  const path = await session.path();
  return { path, close: () => session.close() };
}

class PtySession implements Client {
  readonly hasBaudRate = false;
  private readonly child: ChildProcess;
  private readonly uart: UartLine;
  private open = false;
  private early: Buffer[] = [];
  private closing: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, uart: UartLine) {
    this.child = child;
    this.uart = uart;
    readLines(child.stdio[3] as Readable, (line) => this.told(line));
    uart.onFreed(() => {
      if (this.open) uart.attach(this);
    });
    child.once("exit", () => uart.detach(this));
  }

  /** The first line of the helper is the path; what follows are the client's bytes. */
  path(): Promise<string> {
    return new Promise((resolve, reject) => {
      const stdout = this.child.stdout!;
      let head = Buffer.alloc(0);
      const fail = (why: string) => {
        this.close();
        reject(
          new BroomeError("pty-failed", `no pseudo-terminal: ${why}`, "Use the rfc2217:// port instead."),
        );
      };
      const timer = setTimeout(() => fail("the helper says nothing"), START_TIMEOUT_MS);
      this.child.once("error", (error) => fail(error.message));
      this.child.once("exit", (code) => fail(`the helper ended with ${code}`));
      const onHead = (bytes: Buffer) => {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf("\n");
        if (end < 0 && head.length <= MAX_LINE) return;
        clearTimeout(timer);
        stdout.off("data", onHead);
        if (end < 0) return fail("the helper's first line is no path");
        stdout.on("data", (more: Buffer) => this.receive(more));
        resolve(head.toString("utf8", 0, end).trim());
        if (head.length > end + 1) this.receive(head.subarray(end + 1));
      };
      stdout.on("data", onHead);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.child.stdin!.writable) this.child.stdin!.write(bytes);
  }

  close(): void {
    clearTimeout(this.closing);
    this.uart.detach(this);
    this.child.kill("SIGKILL");
  }

  private receive(bytes: Buffer): void {
    if (this.open) this.uart.receive(this, new Uint8Array(bytes));
    else if (this.early.length < MAX_EARLY_CHUNKS) this.early.push(bytes);
  }

  /** What the helper sees of the slave: `open`, `close`, `baud N`. */
  private told(line: string): void {
    const [word, value] = line.trim().split(" ");
    if (word === "open") this.opened();
    else if (word === "close") this.closing = setTimeout(() => this.closed(), SKEW_MS);
    else if (word === "baud" && Number(value) > 0) this.uart.setClientRate(this, Number(value));
  }

  private opened(): void {
    clearTimeout(this.closing);
    this.open = true;
    if (!this.uart.attach(this)) this.send(Buffer.from(BUSY_NOTICE));
    for (const bytes of this.early.splice(0)) this.receive(bytes);
  }

  private closed(): void {
    this.open = false;
    this.early = [];
    this.uart.detach(this);
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("latin1");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(0, MAX_LINE);
    lines.forEach(onLine);
  });
}
