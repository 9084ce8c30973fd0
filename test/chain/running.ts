// One run of one case: a virtual board with the real firmware's bytecode in a world whose time is stepped, until it is judged.
// Nothing in it depends on the machine that it runs on: the same case is the same run.

import { defaultsCrc, encodeDefaults, type Defaults } from "../../firmware/format/defaults-block.js";
import { noteSuccess } from "../../firmware/connect/network-notes.js";
import { rememberNetwork } from "../../firmware/connect/networks.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import { importDefaults, markWorked, NETWORK_PART } from "../../firmware/store/defaults-record.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import type { BlockingMachine, Machines } from "../../tools/engine/blocking.js";
import type { Engine } from "../../tools/engine/engine.js";
import { Air } from "../../tools/simulator/air.js";
import { Board } from "../../tools/simulator/board.js";
import { Clock } from "../../tools/simulator/clock.js";
import { scheduleFaults } from "../../tools/simulator/faults.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { schedulePhones } from "../../tools/simulator/phone.js";
import type { World } from "../../tools/simulator/world.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import { settle } from "../../firmware/agent/membership.js";
import { guestOf } from "./guests.js";
import type { Heard, HomeServer, Visit } from "./home-server.js";
import { knowsServer, promiseMs, restoredMs, storedNetworks, worldOf, type Case } from "./matrix.js";
import type { PreparedFlash } from "./rig.js";
import { StoreWatch } from "./store-watch.js";
import { Wire } from "./wire.js";

const { layout, flashSize } = esp32c3;
const SEED = 1;
const LED = 8; // of the virtual board (manifest.json)
/** What is looked at after the device came online. */
const SETTLE_MS = 5_000;
/** The uptime is written down for the first time: every run's trace holds that. */
const FIRST_NOTE_MS = 10_000;
const LOOK_MS = 500;
const OFF_MS = 100; // of world time without power
/** Real time in which a board that ended by itself must have begun again. */
const RESTART_MS = 30_000;

export interface Run {
  /** What the UART said, all starts together. */
  said: string;
  /** World time at which it came online for the last time; undefined: it is not. */
  onlineMs: number | undefined;
  endMs: number;
  /** What phones were told by the device. */
  answers: number;
  /** What the owner's server heard; undefined: the board knows of none. */
  server: { heard: Heard[]; complaints: string[] } | undefined;
  /** World time at which its LED was switched on or off. */
  light: [ms: number, lit: boolean][];
  /** See StoreWatch. */
  trace: string[];
  states: string[][];
  beforeCut: string[] | undefined;
  /** The store's keys when the power came back. */
  afterCut: string[] | undefined;
  initial: LogStore;
  final: LogStore;
  /** Of the store's sectors. */
  erases: number[];
}

export interface RunningOptions {
  one: Case;
  engine: Engine;
  machines: Machines;
  flash: PreparedFlash;
  /** What an image before this one left in the store. */
  imported: Defaults | undefined;
  cutAt: number | undefined;
  /** Every state of the store is kept: for runs with a cut to be compared with. */
  all: boolean;
  server: HomeServer;
}

export class Running {
  private readonly options: RunningOptions;
  private readonly world: World;
  private readonly flash: NorFlash;
  private readonly clock = new Clock({ mode: "stepped", start: 0 });
  private readonly air: Air;
  private readonly wire = new Wire();
  private readonly watch: StoreWatch;
  private readonly initial: LogStore;
  /** Undefined: the board knows of no server. */
  private readonly visit: Visit | undefined;
  private readonly light: Run["light"] = [];
  private board: Board | undefined;
  private machine: BlockingMachine | undefined;
  private text = "";
  private powerLost = false;
  private afterCut: string[] | undefined;
  private answers = 0;
  private onlineMs: number | undefined;
  private over = false;

  constructor(options: RunningOptions) {
    this.options = options;
    this.flash = NorFlash.open({ size: flashSize, content: options.flash.content });
    this.world = worldOf(options.one);
    this.air = new Air(this.world);
    if (knowsServer(options.one)) this.visit = options.server.expect(this.clock, () => this.text.length);
    prepareStore(this.flash, options, this.visit);
    this.watch = new StoreWatch(this.flash, options, () => (this.powerLost = true));
    this.initial = this.watch.copy();
  }

  /** Until it is over. Throws where the board does not start again. */
  async play(): Promise<Run> {
    const { clock, air, world } = this;
    scheduleFaults(world.faults, clock, air, []);
    await this.visit?.ready;
    schedulePhones(world.phones, { clock, air, seed: SEED }, () => (this.answers += 1));
    this.start();
    clock.set(LOOK_MS, () => this.look());
    while (!this.over) {
      if (this.powerLost) this.switchOff();
      else if (this.machine?.busy) this.machine.turn();
      else if (this.visit?.busy) await this.visit.settled();
      else if (!this.machine || this.machine.idle) clock.step();
      else await this.restarted(this.machine);
    }
    const endMs = clock.now();
    this.board?.close();
    this.visit?.close();
    clock.close();
    await new Promise((resolve) => setImmediate(resolve)); // machines are seen to have ended
    const { text: said, onlineMs, answers, afterCut, initial, watch, light, visit } = this;
    const { trace, states, beforeCut, store: final, erases } = watch;
    const server = visit && { heard: visit.heard, complaints: visit.complaints };
    return {
      ...{ said, onlineMs, endMs, answers, server, light },
      ...{ trace, states, beforeCut, afterCut, initial, final, erases },
    };
  }

  /** Looked at in world time, so that none of it is skipped. */
  private look(): void {
    const { one } = this.options;
    const now = this.clock.now();
    if (this.board?.status().address === undefined) this.onlineMs = undefined;
    else this.onlineMs ??= now;
    const settled =
      this.onlineMs !== undefined &&
      now > Math.max(this.onlineMs, restoredMs(one), FIRST_NOTE_MS) + SETTLE_MS;
    this.over = settled || now > restoredMs(one) + promiseMs(one);
    if (!this.over) this.clock.set(LOOK_MS, () => this.look());
  }

  private switchOff(): void {
    this.powerLost = false;
    this.board?.close();
    this.board = this.machine = undefined;
    this.watch.revive();
    this.afterCut = this.watch.state();
    this.clock.set(OFF_MS, () => this.start());
  }

  /** Its machine has ended by itself: the board sees to that on the event loop. */
  private async restarted(machine: BlockingMachine): Promise<void> {
    const end = Date.now() + RESTART_MS;
    while (this.machine === machine) {
      if (Date.now() > end) throw new Error(`the board does not start again:\n${this.text.slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  private lit(pin: number, high: boolean): void {
    if (pin === LED && this.light.at(-1)?.[1] !== high) this.light.push([this.clock.now(), high]);
  }

  private start(): void {
    const { one, engine, machines, flash } = this.options;
    const { clock, air, world, wire } = this;
    this.text += `--- power-on at ${Math.round(clock.now())}\n`;
    this.lit(LED, false); // nobody drives it yet
    const guest = guestOf(one.serial, { clock, send: (bytes) => wire.send(bytes) });
    const board = new Board({
      ...{ chip: esp32c3, engine, flash: this.flash, flashFile: flash.path, uart: wire },
      ...{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), world, clock, air, seed: SEED, number: 0 },
      watchdogMs: 0x7fffffff, // real time means nothing here; who waits for this process watches it
      ...(this.visit && { dial: this.visit.dial }),
      onOutput: (pin, high) => this.lit(pin, high),
      startMachine: (...machine) => (this.machine = machines.run(...machine)),
      onUart: (bytes) => {
        if (board !== this.board) return;
        const text = Buffer.from(bytes).toString("latin1");
        this.text += text;
        if (text.includes("wifi: address ")) this.onlineMs ??= clock.now();
        guest.hear(text, bytes);
      },
    });
    this.board = board;
    board.powerOn();
  }
}

/** What earlier starts left. */
function prepareStore(flash: NorFlash, { one, imported }: RunningOptions, visit: Visit | undefined): void {
  const store = new LogStore({ flash: flashRegion(flash, layout.broome.offset, layout.broome.size) });
  storedNetworks(one)
    .reverse()
    .forEach(({ ssid, password }, index) => {
      const bytes = new Uint8Array(Buffer.from(ssid));
      rememberNetwork(store, { ssid: bytes, password });
      const place = { bssid: Uint8Array.of(2, 0xb0, 0x0e, 0, 0, 0), channel: 6 };
      noteSuccess(store, bytes, index + 1, place);
    });
  if (visit) {
    const { identity, url } = visit;
    const target = { ...parseServerUrl(url), url, joinKey: undefined, registered: undefined, tofu: false };
    settle(store, { identity, url, pending: undefined }, { ...target, source: "identity" });
  }
  if (!imported) return;
  const block = encodeDefaults(imported);
  if (defaultsCrc(block) !== undefined) importDefaults(store, block);
  markWorked(store, NETWORK_PART);
}
