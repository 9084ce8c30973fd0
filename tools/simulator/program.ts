// One run of the firmware, from its first instruction to a reset: the engine's machine and the peripherals it sees.

import {
  BusError,
  run,
  type Engine,
  type Machine,
  type RunOptions,
  type Stats,
  type Value,
} from "../engine/engine.js";
import type { Chip } from "../chips/chip.js";
import type { Air } from "./air.js";
import { ArenaMeter, type MemoryPeaks } from "./arena.js";
import { verifySlot, type BootedApp } from "./boot.js";
import { createBus, type Bus, type PinControl } from "./bus.js";
import type { Clock } from "./clock.js";
import { Console } from "./console.js";
import { ChipCrypto } from "./crypto.js";
import { EventQueue } from "./events.js";
import { PowerCut, type NorFlash } from "./flash.js";
import { eraseMs, programMs } from "./flash-timing.js";
import { Net, type Dial } from "./net.js";
import type { PcapWriter } from "./pcap.js";
import { Radio } from "./radio.js";
import { seededBytes, seededNumbers, type RandomBytes } from "./random.js";
import { Regions } from "./regions.js";
import { Resolver } from "./resolve.js";
import { SlotControl } from "./slots.js";
import { Timers } from "./timers.js";
import { Touch } from "./touch.js";
import type { World } from "./world.js";

/** Why a run was over. */
export type Ending =
  | { why: "restart" } // the firmware asked for it
  | { why: "watchdog" }
  | { why: "power-cut" }
  | { why: "exception"; status: string; message: string };

export type StartMachine = (engine: Engine, options: RunOptions) => Machine;

export interface ProgramOptions {
  chip: Chip;
  flash: NorFlash;
  flashFile: string;
  app: BootedApp;
  engine: Engine;
  /** Starts a machine; default: one that speaks over streams. */
  startMachine: StartMachine | undefined;
  /** Bytes of the arena instead of the image's own. */
  arena: number | undefined;
  /** Slots of the stack instead of the image's own. */
  stack: number | undefined;
  mac: Uint8Array;
  resetCause: string;
  world: World;
  clock: Clock;
  air: Air;
  seed: number; // of this run's chance
  hostNumber: number;
  keys: RandomBytes;
  paced: boolean;
  baudRate: number;
  watchdogMs: number;
  gpio: PinControl;
  peaks: MemoryPeaks;
  capture: PcapWriter | undefined;
  /** Begins its connections; default: over this computer's network. */
  dial: Dial | undefined;
  toHost: (bytes: Uint8Array) => void;
  /** Called once, unless `kill` came first. */
  onEnd: (ending: Ending) => void;
}

export class Program {
  readonly console: Console;
  readonly radio: Radio;
  private readonly touch: Touch;
  readonly net: Net;
  readonly arena: ArenaMeter;
  /** Bus calls so far. */
  calls = 0;
  stats: Stats | undefined;
  private readonly options: ProgramOptions;
  private readonly bus: Bus;
  private readonly events: EventQueue;
  private readonly timers: Timers;
  private readonly resolver: Resolver;
  private readonly crypto: ChipCrypto;
  private readonly machine: Machine | undefined; // undefined only while it is being started
  private readonly startedAt: number;
  private restartPeak = false;
  private owedMs = 0; // what the flash has done in the call that is not answered yet
  private delivering = false;
  private ended = false;
  private release: (() => void) | undefined; // of the clock, held while the machine computes
  private watchdog: NodeJS.Timeout | undefined;

  /** Starts at once. */
  constructor(options: ProgramOptions) {
    this.options = options;
    const { clock, air, flash, app, chip, seed } = options;
    const { arena = app.creation.staticSize, stack = app.creation.stack } = options;
    const creation = { ...app.creation, staticSize: arena, stack };
    this.startedAt = clock.now();
    this.events = new EventQueue(() => this.deliver());
    const { post } = this.events;
    this.arena = new ArenaMeter(creation, options.peaks);
    this.radio = new Radio({
      air,
      clock,
      chance: seededNumbers(seed, "radio"),
      post,
      hostNumber: options.hostNumber,
    });
    this.touch = new Touch({
      ...{ air, clock, post, radio: this.radio, mac: options.mac, versions: chip.touchVersions },
      chance: seededNumbers(seed, "touch"),
    });
    this.net = new Net({ radio: this.radio, clock, post, capture: options.capture, dial: options.dial });
    this.radio.onReach = () => this.net.reachChanged();
    this.resolver = new Resolver({ radio: this.radio, clock, post, hosts: options.world.hosts });
    this.timers = new Timers(clock, post);
    this.crypto = new ChipCrypto(options.keys);
    this.console = new Console({ clock, post, toHost: options.toHost, paced: options.paced });
    this.console.baudRate = options.baudRate;
    this.bus = createBus({
      station: this.radio,
      smartconfig: this.touch,
      tcp: this.net,
      resolve: this.resolver,
      flash: regionsOf(flash, app),
      slots: new SlotControl({
        flash,
        otadata: app.otadata,
        slots: app.slots,
        running: app.running,
        verify: (slot) => verifySlot(flash, chip, slot),
      }),
      system: this.systemControl(),
      console: this.console,
      crypto: this.crypto,
      timer: this.timers,
      clock,
      random: seededBytes(seed, "Math.random"),
      gpio: options.gpio,
    });
    if (options.paced) this.chargeFlash();
    this.busy();
    this.machine = (options.startMachine ?? run)(options.engine, {
      flashFile: options.flashFile,
      offset: app.archive.offset,
      size: app.archive.size,
      main: app.main,
      creation,
      onCall: (operation, args) => this.call(operation, args),
      ...(options.paced && { reply: (send: () => void) => this.pay(send) }),
      onIdle: (stats) => this.idle(stats),
      onExit: ({ code, abort }) =>
        this.end({
          why: "exception",
          status: abort?.status ?? "engine",
          message: abort?.message ?? `the engine ended with ${code}`,
        }),
    });
  }

  /** Events that the program was too busy to be given. */
  get lostEvents(): number {
    return this.events.lost;
  }

  get pid(): number | undefined {
    return this.machine?.pid;
  }

  get uptimeMs(): number {
    return this.options.clock.now() - this.startedAt;
  }

  /** The chip resets: nothing of the run is left. */
  kill(): void {
    if (this.ended) return;
    this.ended = true;
    this.options.flash.onWork = undefined;
    this.machine?.kill();
    this.radio.onReach = () => undefined;
    this.touch.stop();
    this.radio.close();
    this.net.reset();
    this.resolver.close();
    this.timers.clearAll();
    this.crypto.reset();
    this.console.reset();
    this.events.clear();
    clearTimeout(this.watchdog);
    this.release?.();
  }

  private end(ending: Ending): void {
    if (this.ended) return;
    this.kill();
    this.options.onEnd(ending);
  }

  private call(operation: string, args: Value[]): Value {
    this.calls += 1;
    const action = Object.hasOwn(this.bus, operation) ? this.bus[operation] : undefined;
    if (action === undefined)
      throw new BusError("no-such-operation", `the bus has no operation "${operation}"`);
    try {
      return action(args);
    } catch (error) {
      if (error instanceof PowerCut) this.end({ why: "power-cut" });
      if (error instanceof BusError) throw error;
      const { code, message } = error as { code?: unknown; message?: unknown };
      throw new BusError(typeof code === "string" ? code : "internal", String(message));
    }
  }

  /** Erases and programs take the flash's time; the program waits for them in the call that asked. */
  private chargeFlash(): void {
    const { flash, chip } = this.options;
    flash.onWork = (what, offset, length) => {
      this.owedMs +=
        what === "erase"
          ? eraseMs(chip.flash, offset, offset + length)
          : programMs(chip.flash, offset, length);
    };
  }

  private pay(send: () => void): void {
    const ms = this.owedMs;
    this.owedMs = 0;
    if (ms === 0) return send();
    this.options.clock.set(ms, send);
  }

  private idle(stats: Stats): void {
    if (this.ended) return;
    this.stats = stats;
    if (this.arena.report(stats)) this.restartPeak = true;
    clearTimeout(this.watchdog);
    this.watchdog = undefined;
    this.deliver();
  }

  private deliver(): void {
    if (this.ended || this.delivering || !this.machine?.idle) return;
    this.delivering = true;
    const event = this.events.take();
    this.delivering = false;
    if (event === undefined) {
      this.release?.();
      this.release = undefined;
      return;
    }
    this.busy();
    if (this.restartPeak) this.machine.resetPeak();
    this.restartPeak = false;
    this.machine.event(...event);
  }

  /** The machine computes: a fast clock waits for it, and the watchdog counts. */
  private busy(): void {
    this.release ??= this.options.clock.hold();
    this.feed();
  }

  private feed(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.end({ why: "watchdog" }), this.options.watchdogMs);
  }

  private systemControl() {
    const { chip, mac, resetCause } = this.options;
    return {
      chip: chip.name,
      mac,
      resetCause,
      restart: () => this.end({ why: "restart" }),
      uptimeMs: () => this.uptimeMs,
      heap: () => this.arena.heap(),
      mark: (phase: string) => this.arena.mark(phase),
      feed: () => this.feed(),
    };
  }
}

function regionsOf(flash: NorFlash, app: BootedApp): Regions {
  const { slots, running, partitions } = app;
  return new Regions(flash, {
    broome: partitions.find((row) => row.label === "broome"),
    other: slots.length < 2 ? undefined : slots[(running + 1) % slots.length],
    running: slots[running],
  });
}
