// One run of one case: a virtual board with the real firmware's bytecode, in a world whose time is skipped, until it is judged.

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultsCrc, encodeDefaults, type Defaults } from "../../firmware/format/defaults-block.js";
import { noteSuccess } from "../../firmware/connect/network-notes.js";
import { rememberNetwork } from "../../firmware/connect/networks.js";
import { importDefaults, markWorked, NETWORK_PART } from "../../firmware/store/defaults-record.js";
import { INTENTION, LEDGER } from "../../firmware/store/keys.js";
import { MAX_KEY, LogStore } from "../../firmware/store/log-store.js";
import { build } from "../../tools/build/build.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { prepareEngine, type Engine } from "../../tools/engine/engine.js";
import { patch } from "../../tools/patch/patch.js";
import { Air } from "../../tools/simulator/air.js";
import { Board } from "../../tools/simulator/board.js";
import { Clock } from "../../tools/simulator/clock.js";
import { scheduleFaults } from "../../tools/simulator/faults.js";
import { NorFlash, PowerCut } from "../../tools/simulator/flash.js";
import type { Uart } from "../../tools/simulator/uart.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import { defaultsOf, restoredMs, storedNetworks, worldOf, type Case } from "./matrix.js";
import { guestOf } from "./guests.js";

const { layout, flashSize } = esp32c3;
const SEED = 1;
/** From the moment at which the router is as it should be: the promise is 75 s. */
const PROMISE_MS = 75_000;
/** What is looked at after the device came online. */
const SETTLE_MS = 5_000;
/** The uptime is written down for the first time: every run's trace holds that. */
const FIRST_NOTE_MS = 10_000;
const POLL_MS = 2; // of real time
const TIMED = [INTENTION, LEDGER]; // keys whose values hold uptimes
const OFF_MS = 100; // of world time without power

export interface Run {
  /** What the UART said, all starts together. */
  said: string;
  /** World time at which it came online for the last time; undefined: it is not. */
  onlineMs: number | undefined;
  endMs: number;
  /** Operations on the store, in order: E an erase, H and V the header and the value of a record, with its key. */
  trace: string[];
  /** The store's keys before the first operation and after each; only that before, where the power was cut. */
  states: string[][];
  /** The store's keys before the operation that was cut, and when the power came back; undefined: none was. */
  beforeCut: string[] | undefined;
  afterCut: string[] | undefined;
  initial: LogStore;
  final: LogStore;
  /** Of the store's sectors. */
  erases: number[];
}

/** Listeners without a line: what the board says goes to its `onUart`. */
class Wire implements Uart {
  readonly baudRate = 115200;
  readonly connected = false;
  private listener: (bytes: Uint8Array) => void = () => undefined;

  toHost(): void {
    // the board tells its options' onUart
  }

  onFromHost(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  send(bytes: Uint8Array): void {
    this.listener(bytes);
  }

  onLines(): void {
    // nobody pulls them
  }

  onBaudRate(): void {
    // as above
  }

  onClient(): void {
    // as above
  }

  setBoardRate(): void {
    // as above
  }
}

export class ChainRig {
  private readonly folder: string;
  private readonly engine: Engine;
  private readonly image: Uint8Array;
  private readonly table: Uint8Array;
  private readonly files = new Map<string, { path: string; app: Uint8Array }>();

  private constructor(folder: string, engine: Engine) {
    this.folder = folder;
    this.engine = engine;
    this.image = new Uint8Array(readFileSync(join(folder, "app.bin")));
    this.table = new Uint8Array(readFileSync(join(folder, "partition-table.bin")));
  }

  /** Builds the firmware of this checkout. */
  static async open(): Promise<ChainRig> {
    const folder = mkdtempSync(join(tmpdir(), "broome-chain-"));
    const engine = await prepareEngine({ cacheDir: ".broome" });
    await build({
      ...{
        root: process.cwd(),
        cacheDir: ".broome",
        chip: esp32c3,
        version: "1.0.0",
        outDir: folder,
        engine,
      },
      config: { updateKeys: [] },
    });
    return new ChainRig(folder, engine);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `cutAt`: the power goes in the n-th operation on the store. */
  run(one: Case, cutAt?: number): Promise<Run> {
    const { block, imported } = defaultsOf(one);
    return new Running(one, this.engine, this.fileOf(block), this.table, imported, cutAt).done;
  }

  /** A flash file with that block in its image: the engine maps the code from it; what is written is kept in memory. */
  private fileOf(block: Defaults): { path: string; app: Uint8Array } {
    const name = JSON.stringify(block);
    const known = this.files.get(name);
    if (known) return known;
    const sha256 = () => {
      const hash = createHash("sha256");
      return {
        update: (bytes: Uint8Array) => void hash.update(bytes),
        digest: () => new Uint8Array(hash.digest()),
      };
    };
    const app = name === "{}" ? this.image : patch(this.image, block, { sha256 }).image;
    const path = join(this.folder, `${this.files.size}.flash`);
    const whole = Buffer.alloc(flashSize, 0xff);
    whole.set(app, layout.ota_0.offset);
    writeFileSync(path, whole);
    const made = { path, app };
    this.files.set(name, made);
    return made;
  }
}

class Running {
  readonly done: Promise<Run>;
  private readonly one: Case;
  private readonly engine: Engine;
  private readonly path: string;
  private readonly flash = NorFlash.open({ size: flashSize });
  private readonly clock: Clock;
  private readonly air: Air;
  private readonly wire = new Wire();
  private readonly initial: LogStore;
  private board: Board | undefined;
  private text = "";
  private cut = false;
  private beforeCut: string[] | undefined;
  private afterCut: string[] | undefined;
  private key = 0; // of the record that is being written
  private release: (() => void) | undefined;
  private readonly trace: string[] = [];
  private readonly states: string[][];

  constructor(
    one: Case,
    engine: Engine,
    { path, app }: { path: string; app: Uint8Array },
    table: Uint8Array,
    imported: Defaults | undefined,
    cutAt: number | undefined,
  ) {
    this.one = one;
    this.engine = engine;
    this.path = path;
    this.flash.program(layout.partitionTable.offset, table);
    this.flash.program(layout.ota_0.offset, app);
    const world = worldOf(one);
    this.clock = new Clock({ mode: "fast", start: 0 });
    this.air = new Air(world);
    this.prepare(imported);
    this.initial = this.copyOfStore();
    this.states = [stateOf(this.store)];
    this.watch(cutAt);
    scheduleFaults(world.faults, this.clock, this.air, []);
    this.start("power-on");
    this.done = this.finish();
  }

  private get store(): LogStore {
    return new LogStore({ flash: flashRegion(this.flash, layout.broome.offset, layout.broome.size) });
  }

  private copyOfStore(): LogStore {
    const { offset, size } = layout.broome;
    const copy = NorFlash.open({ size });
    copy.program(0, this.flash.read(offset, size));
    return new LogStore({ flash: flashRegion(copy) });
  }

  /** What earlier starts left. */
  private prepare(imported: Defaults | undefined): void {
    const { store } = this;
    storedNetworks(this.one)
      .reverse()
      .forEach(({ ssid, password }, index) => {
        const bytes = new Uint8Array(Buffer.from(ssid));
        rememberNetwork(store, { ssid: bytes, password });
        const place = { bssid: Uint8Array.of(2, 0xb0, 0x0e, 0, 0, 0), channel: 6 };
        noteSuccess(store, bytes, index + 1, place);
      });
    if (!imported) return;
    const block = encodeDefaults(imported);
    if (defaultsCrc(block) !== undefined) importDefaults(store, block);
    markWorked(store, NETWORK_PART);
  }

  /** Writes down what happens to the store; cuts the power where it is asked to. */
  private watch(cutAt: number | undefined): void {
    const { flash } = this;
    const inStore = (offset: number) =>
      offset >= layout.broome.offset && offset < layout.broome.offset + layout.broome.size;
    const around = (offset: number, what: () => string, action: () => void) => {
      if (!inStore(offset)) return action();
      if (this.cut) throw new PowerCut();
      const number = this.trace.push(what());
      if (number === cutAt) {
        this.beforeCut = stateOf(this.store);
        flash.cutAfter(1, SEED + number);
      }
      try {
        action();
      } catch (error) {
        if (error instanceof PowerCut) this.losePower();
        throw error;
      }
      if (cutAt === undefined) this.states.push(stateOf(this.store));
    };
    const [erase, program] = [flash.erase.bind(flash), flash.program.bind(flash)];
    flash.erase = (offset) =>
      around(
        offset,
        () => "E",
        () => erase(offset),
      );
    flash.program = (offset, bytes) =>
      around(
        offset,
        () => this.nameOf(bytes),
        () => program(offset, bytes),
      );
  }

  /** A header is 8 bytes and its second one guards it (firmware/store/log-store.ts). */
  private nameOf(bytes: Uint8Array): string {
    const isHeader = bytes.length === 8 && bytes[1] === (0x5a ^ bytes[0]! ^ bytes[2]! ^ bytes[3]!);
    if (isHeader) this.key = bytes[0]!;
    return `${isHeader ? "H" : "V"}${this.key}`;
  }

  private losePower(): void {
    this.cut = true;
    this.release = this.clock.hold(); // no time passes until the board is off
    setImmediate(() => {
      this.board?.close();
      this.flash.cutAfter(undefined);
      this.afterCut = stateOf(this.store);
      this.clock.set(OFF_MS, () => {
        this.cut = false;
        this.start("power-on");
      });
      this.release?.();
    });
  }

  private start(cause: string): void {
    this.text += `--- ${cause} at ${Math.round(this.clock.now())}\n`;
    const guest = guestOf(this.one.serial, { clock: this.clock, send: (bytes) => this.wire.send(bytes) });
    const board = new Board({
      ...{ chip: esp32c3, engine: this.engine, flash: this.flash, flashFile: this.path, uart: this.wire },
      ...{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), world: worldOf(this.one), clock: this.clock, air: this.air },
      ...{ seed: SEED, number: 0, watchdogMs: 60_000 },
      onUart: (bytes) => {
        if (board !== this.board) return;
        const text = Buffer.from(bytes).toString("latin1");
        this.text += text;
        guest.hear(text, bytes);
      },
    });
    this.board = board;
    board.powerOn();
  }

  private async finish(): Promise<Run> {
    const deadline = restoredMs(this.one) + PROMISE_MS;
    let onlineMs: number | undefined;
    let over = false;
    // Looked at in world time, so that none of it is skipped.
    const look = () => {
      const online = this.board?.status().address !== undefined;
      if (!online) onlineMs = undefined;
      else onlineMs ??= this.clock.now();
      const settled =
        onlineMs !== undefined &&
        this.clock.now() > Math.max(onlineMs, restoredMs(this.one), FIRST_NOTE_MS) + SETTLE_MS;
      if (this.clock.now() > deadline || settled) over = true;
      else this.clock.set(500, look);
    };
    this.clock.set(500, look);
    while (!over) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const endMs = this.clock.now();
    this.board?.close();
    this.clock.close();
    const first = layout.broome.offset / 4096;
    return {
      ...{
        said: this.text,
        onlineMs,
        endMs,
        trace: this.trace,
        states: this.states,
        afterCut: this.afterCut,
        beforeCut: this.beforeCut,
      },
      ...{ initial: this.initial, final: this.store },
      erases: [...this.flash.eraseCounts.subarray(first, first + layout.broome.size / 4096)],
    };
  }
}

/** Every value of the store by key; uptimes, which differ from run to run, as "#". */
function stateOf(store: LogStore): string[] {
  return Array.from({ length: MAX_KEY + 1 }, (_, key) => {
    const value = Buffer.from((key > 0 && store.get(key)) || []);
    return TIMED.includes(key) ? value.toString("latin1").replace(/\d+/g, "#") : value.toString("hex");
  });
}
