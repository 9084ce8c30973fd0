// A machine that is waited for: for simulations that do one thing at a time and have no use for an event loop. A call costs a
// fraction of what it costs over streams, and a start does not copy a process of Node's size. POSIX only: named pipes, sh.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Engine, type RunOptions, runArguments } from "./engine.js";
import { Talk, TalkingMachine } from "./talk.js";

const BUFFER = 64 * 1024; // bytes
/** Machines use them in turn: the one before may hold its own for a moment longer. */
const PAIRS = 2;

/** Starts one machine after the other, by a shell that stands by: it waits for the end of the one before. */
export class Machines {
  private readonly pairs: [toEngine: string, fromEngine: string][];
  private readonly shell: ChildProcess;
  private readonly commands: number;
  private next = 0;

  /** Makes its pipes in a folder, where they stay. Throws where the system has no `mkfifo`. */
  constructor(folder: string) {
    const path = (name: string) => join(folder, name);
    this.pairs = Array.from({ length: PAIRS }, (_, i) => [path(`to-engine-${i}`), path(`from-engine-${i}`)]);
    execFileSync("mkfifo", ["-m", "600", path("commands"), ...this.pairs.flat()]);
    this.commands = openSync(path("commands"), "r+");
    this.shell = spawn("sh", [path("commands")], { stdio: ["ignore", "ignore", "inherit"] });
    this.shell.unref();
  }

  /** Throws where the engine's program is not there. */
  run(engine: Engine, o: RunOptions): BlockingMachine {
    accessSync(engine.binary, constants.X_OK); // the shell would say so to nobody
    const [toEngine, fromEngine] = this.pairs[this.next]!;
    this.next = (this.next + 1) % PAIRS;
    const words = [engine.binary, ...runArguments(engine, o)].map(quoted);
    const machine = new BlockingMachine(o, toEngine, fromEngine);
    writeSync(this.commands, `${words.join(" ")} 3<${quoted(toEngine)} 4>${quoted(fromEngine)}\n`);
    return machine;
  }

  close(): void {
    closeSync(this.commands);
    this.shell.kill();
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Killed, it ends as soon as it notices that the line is down. */
export class BlockingMachine extends TalkingMachine {
  /** Not known. */
  readonly pid = -1;
  protected readonly talk: Talk;
  private readonly buffer = Buffer.allocUnsafe(BUFFER);
  private readonly to: number;
  private readonly from: number;
  /** The machine's end, until it is there: else the pipe would be at its end at once. */
  private stead: number | undefined;
  private closed = false;

  constructor(o: RunOptions, toEngine: string, fromEngine: string) {
    super();
    this.to = openSync(toEngine, "r+");
    this.stead = openSync(fromEngine, "r+");
    this.from = openSync(fromEngine, "r");
    this.talk = new Talk(o, { send: (frame) => this.send(frame), cut: () => this.hangUp() });
  }

  /** It computes, and `turn` is to be called. */
  get busy(): boolean {
    return !this.talk.idle && !this.talk.ended;
  }

  /** Answers the machine's calls until it is idle or has ended; in an endless loop of the program it does not return. */
  turn(): void {
    while (this.busy) {
      const count = readSync(this.from, this.buffer, 0, BUFFER, null);
      if (this.stead !== undefined) closeSync(this.stead);
      this.stead = undefined;
      // A copy: what is not a whole frame waits for the rest.
      if (count > 0) this.talk.receive(Buffer.from(this.buffer.subarray(0, count)));
      else this.talk.cut();
    }
  }

  private send(frame: Buffer): void {
    for (let at = 0; at < frame.length;) at += writeSync(this.to, frame, at);
  }

  private hangUp(): void {
    if (this.closed) return;
    this.closed = true;
    // One that has not begun would wait for ever for the other ends of its pipes.
    if (this.stead !== undefined) readSync(this.from, this.buffer, 0, BUFFER, null);
    for (const end of [this.to, this.from, this.stead]) if (end !== undefined) closeSync(end);
    setImmediate(() => this.talk.end(null));
  }
}
