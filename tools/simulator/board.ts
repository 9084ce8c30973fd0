// A virtual ESP: flash, serial line, boot ROM, bootloader and one run of the firmware after the other.

import type { Chip } from "../chips/chip.js";
import type { Engine } from "../engine/engine.js";
import type { Air } from "./air.js";
import { MemoryPeaks } from "./arena.js";
import { boot, type BootedApp, type LogLevel } from "./boot.js";
import type { Clock } from "./clock.js";
import type { Victim } from "./faults.js";
import { PowerCut, type NorFlash } from "./flash.js";
import { PacedLine } from "./paced-line.js";
import type { Dial } from "./net.js";
import type { PcapWriter } from "./pcap.js";
import { Program, type Ending, type StartMachine } from "./program.js";
import { keyBytes } from "./random.js";
import { RestartLimiter } from "./restarts.js";
import { RomLoader } from "./rom.js";
import { loadLines, startLines } from "./rom-log.js";
import { Straps } from "./straps.js";
import { SyncWatch } from "./sync-watch.js";
import { DEFAULT_BAUD_RATE, type Uart } from "./uart.js";
import type { World } from "./world.js";

const OFF_MS = 100; // how long the power stays away
const WATCHDOG_MS = 10_000;
const TOUCH_BAUD_RATE = 1200; // opening a pty at this rate means: download mode
const FIRST_HOST_NUMBER = 2; // the router is 1

export interface BoardOptions {
  chip: Chip;
  flash: NorFlash;
  flashFile: string;
  mac: Uint8Array;
  engine: Engine;
  uart: Uart;
  world: World;
  clock: Clock;
  air: Air;
  seed: number;
  /** Of this board among those of the world, from 0. */
  number: number;
  /** The UART is as slow as its baud rate, and its FIFO can overflow. */
  paced?: boolean;
  /** Stays in download mode until a reset. */
  download?: boolean;
  /** Bytes of the arena instead of what the image asks for: measurements. */
  arena?: number;
  /** Slots of the stack, likewise. */
  stack?: number;
  watchdogMs?: number;
  /** Starts the engine's machine; default: one that speaks over streams. */
  startMachine?: StartMachine;
  capture?: PcapWriter;
  /** Begins the board's connections; default: over this computer's network. */
  dial?: Dial;
  /** What its program drives a pin to. */
  onOutput?: (pin: number, high: boolean) => void;
  /** What the board says on its UART, whether somebody listens or not. */
  onUart?: (bytes: Uint8Array) => void;
  /** One line about the simulation itself. */
  note?: (line: string) => void;
}

export type BoardState = "off" | "held" | "download" | "running" | "restarting" | "closed";

export class Board implements Victim {
  private readonly options: BoardOptions;
  private readonly straps: Straps;
  private readonly limiter = new RestartLimiter();
  private readonly pins = new Map<number, boolean>();
  private readonly outputs = new Map<number, boolean>(); // as the program last set them
  private readonly peaks = new MemoryPeaks();
  private readonly line: PacedLine | undefined; // where bytes and work take their time
  private current: BoardState = "off";
  private program: Program | undefined;
  private app: BootedApp | undefined;
  private loader: RomLoader | undefined;
  private sync: SyncWatch | undefined;
  private pending: NodeJS.Timeout | undefined; // a start that is to come
  private startedAt = 0;
  private resets = 0;
  private cause = "power-on";
  private lastCrash: string | undefined;
  private releaseClient: (() => void) | undefined; // of the clock

  constructor(options: BoardOptions) {
    this.options = options;
    const { uart, clock } = options;
    if (options.paced)
      this.line = new PacedLine({
        clock,
        clientRate: () => uart.baudRate,
        send: (bytes) => uart.toHost(bytes),
        deliver: (bytes) => this.load(bytes),
        reads: () => this.loader?.isStub ?? false,
      });
    this.straps = new Straps({
      onHold: () => this.hold(),
      onRelease: (download) => this.start(options.chip.start.resetPinCause, download),
    });
    uart.onFromHost((bytes) => this.fromHost(bytes));
    uart.onLines((lines) => this.current !== "closed" && this.straps.set(lines));
    uart.onBaudRate((baud) => {
      if (baud === TOUCH_BAUD_RATE) this.download();
      else if (this.program !== undefined) this.program.console.baudRate = baud;
    });
    uart.onClient((connected) => {
      this.releaseClient?.();
      this.releaseClient = connected ? clock.hold() : undefined;
    });
  }

  get state(): BoardState {
    return this.current;
  }

  powerOn(): void {
    this.start("power-on", this.options.download ?? false);
  }

  /** A pulse on EN. */
  reset(): void {
    this.start(this.options.chip.start.resetPinCause, false);
  }

  /** A pulse on EN with the strap pin low. */
  download(): void {
    this.start(this.options.chip.start.resetPinCause, true);
  }

  /** The power goes for a moment: now, or in the middle of the n-th erase or program from now. */
  cutPower(operation: number | undefined): void {
    if (operation === undefined) this.losePower();
    else this.options.flash.cutAfter(operation, this.options.seed + this.resets);
  }

  /** Drives an input pin. The strap pin counts at the next reset. */
  setPin(pin: number, high: boolean): void {
    this.pins.set(pin, high);
  }

  status(): Record<string, unknown> {
    const { chip, mac, flash, clock } = this.options;
    const { program, app } = this;
    return {
      state: this.current,
      chip: chip.name,
      mac: macText(mac),
      slot: app?.slots[app.running]?.label,
      version: app?.descriptor.version,
      cause: this.cause,
      resets: this.resets,
      lastCrash: this.lastCrash,
      uptimeMs: program && Math.round(program.uptimeMs),
      ssid: program?.radio.ssid,
      address: program?.radio.address,
      hostName: program?.radio.hostNameAtRouter,
      sockets: program?.net.open ?? 0,
      pid: program?.pid,
      arena: { peak: { ...this.peaks.arena }, limit: program?.arena.limit ?? app?.creation.staticSize },
      stack: { peak: { ...this.peaks.stack }, limit: program?.arena.stackLimit ?? app?.creation.stack },
      meter: program?.stats?.meter ?? 0,
      operations: { bus: program?.calls ?? 0, flash: { ...flash.operations } },
      overruns: program?.console.overruns ?? 0,
      lostEvents: program?.lostEvents ?? 0,
      pins: Object.fromEntries(this.pins),
      outputs: Object.fromEntries(this.outputs),
      clock: { mode: clock.mode, nowMs: Math.round(clock.now()), skippedMs: Math.round(clock.skippedMs) },
    };
  }

  close(): void {
    if (this.current === "closed") return;
    this.stop();
    this.straps.close();
    this.releaseClient?.();
    this.current = "closed";
  }

  /** EN is low. */
  private hold(): void {
    this.stop();
    this.line?.silence();
    this.current = "held";
  }

  /** EN rises, the power comes, or the chip resets itself. */
  private start(cause: string, download: boolean): void {
    if (this.current === "closed") return;
    this.stop();
    const { chip } = this.options;
    this.startedAt = this.options.clock.now();
    this.resets += 1;
    this.cause = cause;
    this.setBoardRate(chip.start.baudRate);
    const strapped = download || this.pins.get(chip.start.strapPin) === false;
    for (const line of startLines(chip, cause, strapped)) this.say(line);
    if (strapped) return this.enterDownload();
    for (const line of loadLines(chip, this.options.flash)) this.say(line);
    this.setBoardRate(DEFAULT_BAUD_RATE);
    this.sync = new SyncWatch();
    this.boot();
  }

  private boot(): void {
    const { flash, chip } = this.options;
    try {
      this.app = boot(flash, chip, (level, tag, text) => this.log(level, tag, text));
    } catch (error) {
      if (error instanceof PowerCut) return this.losePower();
      throw error;
    }
    if (this.app === undefined) return this.enterDownload();
    this.current = "running";
    this.program = this.run(this.app);
  }

  private run(app: BootedApp): Program {
    const { chip, flash, flashFile, engine, mac, world, clock, air, number, arena, stack, capture, uart } =
      this.options;
    const seed = (this.options.seed + number * 0x10001 + this.resets * 0x101) >>> 0;
    const program: Program = new Program({
      ...{ chip, flash, flashFile, app, engine, mac, world, clock, air, seed, arena, stack, capture },
      resetCause: this.cause,
      hostNumber: FIRST_HOST_NUMBER + number,
      keys: keyBytes(world, seed, "keys"),
      paced: this.options.paced ?? false,
      startMachine: this.options.startMachine,
      dial: this.options.dial,
      baudRate: uart.baudRate,
      watchdogMs: this.options.watchdogMs ?? WATCHDOG_MS,
      peaks: this.peaks,
      gpio: {
        read: (pin) => this.pins.get(pin) ?? true,
        write: (pin, high) => {
          this.outputs.set(pin, high);
          this.options.onOutput?.(pin, high);
        },
      },
      toHost: (bytes) => this.toHost(bytes),
      onEnd: (ending) => setImmediate(() => this.program === program && this.ended(ending)),
    });
    return program;
  }

  private ended(ending: Ending): void {
    switch (ending.why) {
      case "power-cut":
        return this.losePower();
      case "restart":
        return this.restart("software");
      case "watchdog":
        this.log("E", "task_wdt", "Task watchdog got triggered: the program did not become idle in time");
        return this.restart("watchdog");
      case "exception":
        return this.crashed(ending.status, ending.message);
    }
  }

  private crashed(status: string, message: string): void {
    this.lastCrash = `${status}: ${message}`;
    this.say("");
    this.say(`Guru Meditation Error: Core  0 panic'ed (${status}). ${message}`);
    this.options.note?.(`the program crashed: ${this.lastCrash}`);
    if (status.startsWith("archive-")) {
      // Another start would end the same way: this image was linked for another engine.
      this.log("E", "boot", "Build and flash the firmware again: this engine cannot run it");
      this.stop();
      return this.enterDownload();
    }
    this.say("Rebooting...");
    this.restart("exception");
  }

  private restart(cause: string): void {
    this.stop();
    this.current = "restarting";
    const delay = this.limiter.delay(performance.now());
    if (delay > 0) this.options.note?.(`restarts again and again: the next one in ${delay} ms`);
    this.pending = setTimeout(() => this.start(cause, false), delay);
  }

  private losePower(): void {
    if (this.current === "closed") return;
    this.stop();
    this.line?.silence();
    this.options.flash.cutAfter(undefined); // what was to be cut has been
    this.current = "off";
    this.pending = setTimeout(() => this.start("power-on", false), OFF_MS);
  }

  private stop(): void {
    clearTimeout(this.pending);
    const { arena, stack } = this.status();
    if (this.program !== undefined) this.options.note?.(JSON.stringify({ arena, stack }));
    this.outputs.clear(); // a reset makes every pin an input
    this.program?.kill();
    this.program = undefined;
    this.app = undefined;
    this.loader = undefined;
    this.sync = undefined;
    this.line?.restart();
  }

  private enterDownload(): void {
    const { chip, mac, flash, uart } = this.options;
    this.current = "download";
    this.sync = undefined;
    if (chip.start.waiting !== undefined) this.say(chip.start.waiting);
    this.setBoardRate("auto");
    this.loader = new RomLoader({
      ...{ chip, mac, flash },
      send: (bytes) => this.toHost(bytes),
      baudRate: () => uart.baudRate,
      setBaudRate: (baud) => this.setBoardRate(baud),
      charge: (ms) => this.line?.charge(ms),
      now: () => this.line?.freeAt ?? 0,
      onRun: () => setImmediate(() => this.start("software", false)),
    });
  }

  private fromHost(bytes: Uint8Array): void {
    if (this.loader !== undefined && this.line !== undefined) return this.line.fromHost(bytes);
    if (this.loader !== undefined) return this.load(bytes);
    const frame = this.sync?.find(bytes);
    if (frame === undefined) return this.program?.console.receive(bytes);
    this.start(this.options.chip.start.resetPinCause, true);
    this.load(frame);
  }

  private load(bytes: Uint8Array): void {
    try {
      this.loader?.receive(bytes);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.losePower();
    }
  }

  private log(level: LogLevel, tag: string, text: string): void {
    this.say(`${level} (${Math.round(this.options.clock.now() - this.startedAt)}) ${tag}: ${text}`);
  }

  private say(line: string): void {
    this.toHost(new Uint8Array(Buffer.from(`${line}\r\n`)));
  }

  private toHost(bytes: Uint8Array): void {
    if (this.line === undefined) this.options.uart.toHost(bytes);
    else this.line.toHost(bytes);
    this.options.onUart?.(bytes);
  }

  private setBoardRate(rate: number | "auto"): void {
    const { uart } = this.options;
    if (this.line === undefined) uart.setBoardRate(rate);
    else this.line.setRate(rate, () => uart.setBoardRate(rate));
  }
}

/** "02:00:00:00:00:01" */
export function macText(mac: Uint8Array): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
