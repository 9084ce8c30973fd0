// The engine's driver, and what the rest of the tools see of this folder: prepare, link, read, run.
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { type ArchiveInfo, readArchive } from "./archive.js";
import { BusError, type Value } from "./bus-frame.js";
import { type Engine, prepareEngine } from "./compiler.js";
import { type LinkOptions, type LinkResult, type ModuleSource, link } from "./link.js";
import { Talk, TalkingMachine } from "./talk.js";

export { BusError, link, prepareEngine, readArchive };
export type { ArchiveInfo, Engine, LinkOptions, LinkResult, ModuleSource, Value };

/** Memory of the device's machine, as in Moddable's manifests (`creation`); counts are slots or table entries. */
export interface Creation {
  /** Bytes of the arena: everything alive, and the stack. */
  staticSize: number;
  /** Bytes of the chunk pool at start and per growth. */
  chunkInitial: number;
  chunkIncrement: number;
  /** Slots (16 bytes on the chips) at start and per growth. */
  heapInitial: number;
  heapIncrement: number;
  /** Slots of the stack. */
  stack: number;
  keyInitial: number;
  keyIncrement: number;
  nameModulo: number;
  symbolModulo: number;
}

/** Moddable's creation of the ESP8266, the tightest of the chips. */
export const ESP8266_CREATION: Readonly<Creation> = {
  staticSize: 32768,
  chunkInitial: 1536,
  chunkIncrement: 512,
  heapInitial: 512,
  heapIncrement: 64,
  stack: 256,
  keyInitial: 32,
  keyIncrement: 32,
  nameModulo: 53,
  symbolModulo: 3,
};

/** What the machine tells whenever it has nothing left to do. Bytes, where nothing else is said. */
export interface Stats {
  /** Pools as they are extended now, and the stack. */
  arenaUsed: number;
  /** The smallest arena with which this run would have got here (since the last `resetPeak`). */
  arenaPeak: number;
  /** The arena. On a 64-bit engine, and so with slots of 32 bytes, twice the creation's `staticSize`. */
  arenaLimit: number;
  /** Chunks in use, garbage since the last collection included. */
  chunkUsed: number;
  /** Slots in use, likewise. */
  slotUsed: number;
  /** Bytecode instructions since boot. */
  meter: number;
  /** Slots: the smallest stack with which it would have got here since it was idle last. */
  stackPeak: number;
  /** Slots: the stack. */
  stackLimit: number;
}

/** How a machine ended. `abort` is there if it ended by itself; `code` is null if it was killed. */
export interface Exit {
  code: number | null;
  /**
   * `status`: "exception", "memory full", "stack overflow", "root-write", "archive-mismatch", "archive-invalid",
   * "bus-malformed", "bus-failed", "crash".
   */
  abort?: { status: string; message: string };
}

export interface RunOptions {
  flashFile: string;
  /** Where the archive lies in the file; the archive may be shorter than `size`. */
  offset: number;
  size: number;
  /** Name of the module to import. */
  main: string;
  creation: Creation;
  /** A call of the machine, which waits for the result. Throw BusError (or any error with a `code`) to throw there. */
  onCall(op: string, args: Value[]): Value;
  /** Lets the machine have the result of the call that was just made: at once where this is not given. */
  reply?(send: () => void): void;
  /** The machine has nothing left to do and waits for an event. */
  onIdle(stats: Stats): void;
  /** Called exactly once, after all else. */
  onExit(exit: Exit): void;
}

/** A running machine. */
export interface Machine {
  readonly pid: number;
  /** True while the machine waits for an event. */
  readonly idle: boolean;
  /** Delivers one event to `globalThis.onBusEvent(name, ...args)`. Throws if the machine is not idle. */
  event(name: string, ...args: Value[]): void;
  /** Begins a new measurement of `arenaPeak` with the next event. */
  resetPeak(): void;
  /** Ends the machine at once; `onExit` follows. Can be called at any time and more than once. */
  kill(): void;
}

const FD_IN = 3;
const FD_OUT = 4;

/** Starts a machine on an archive that lies in a file. The file is mapped read-only. */
export function run(engine: Engine, o: RunOptions): Machine {
  return new EngineMachine(engine, o);
}

class EngineMachine extends TalkingMachine {
  private readonly child: ChildProcess;
  protected readonly talk: Talk;

  constructor(engine: Engine, o: RunOptions) {
    super();
    this.child = spawn(engine.binary, runArguments(engine, o), {
      stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
    });
    const toEngine = this.child.stdio[FD_IN] as Duplex;
    toEngine.on("error", () => undefined); // the exit tells
    const fromEngine = this.child.stdio[FD_OUT] as Duplex;
    fromEngine.on("error", () => undefined);
    this.talk = new Talk(o, {
      send: (frame) => void toEngine.write(frame),
      cut: () => this.child.kill("SIGKILL"),
    });
    fromEngine.on("data", (bytes: Buffer) => this.talk.receive(bytes));
    let failure: Error | undefined;
    this.child.on("error", (error) => (failure = error));
    this.child.on("close", (code) => {
      if (failure) this.talk.abort ??= { status: "crash", message: failure.message };
      this.talk.end(code);
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }
}

/** What the engine's program is started with. */
export function runArguments(engine: Engine, o: RunOptions): string[] {
  const place = [o.flashFile, String(o.offset), String(o.size), o.main];
  return ["run", ...place, ...creationArguments(engine, o.creation)];
}

function creationArguments(engine: Engine, c: Creation): string[] {
  const scale = engine.bits === 64 ? 2 : 1;
  return [
    c.staticSize * scale,
    c.chunkInitial,
    c.chunkIncrement,
    c.heapInitial,
    c.heapIncrement,
    c.stack,
    c.keyInitial,
    c.keyIncrement,
    c.nameModulo,
    c.symbolModulo,
  ].map(String);
}
