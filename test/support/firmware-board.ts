// The firmware in Node: its own platform folder over the virtual board's peripherals, without an engine. Quick, and debuggable.
// One board at a time in a process: the platform keeps its listeners on the global object, as on the engine.

import { encodeDefaults, type Defaults } from "../../firmware/format/defaults-block.js";
import { chooseSlot, OTA_VALID } from "../../firmware/format/otadata.js";
import device from "../../firmware/device/virtual/all.js";
import type { BusValue } from "../../firmware/device/virtual/bus.js";
import type { AppApi } from "../../firmware/agent/app-api.js";
import { start } from "../../firmware/agent/start.js";
import type { Base, ImageConfig } from "../../firmware/store/base.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import type { Value } from "../../tools/engine/engine.js";
import { Air } from "../../tools/simulator/air.js";
import { verifySlot } from "../../tools/simulator/boot.js";
import { createBus, type Bus } from "../../tools/simulator/bus.js";
import { Clock } from "../../tools/simulator/clock.js";
import { Console } from "../../tools/simulator/console.js";
import { ChipCrypto } from "../../tools/simulator/crypto.js";
import { EventQueue } from "../../tools/simulator/events.js";
import { NorFlash, PowerCut } from "../../tools/simulator/flash.js";
import { Net } from "../../tools/simulator/net.js";
import { Radio } from "../../tools/simulator/radio.js";
import { keyBytes, seededBytes, seededNumbers } from "../../tools/simulator/random.js";
import { Regions } from "../../tools/simulator/regions.js";
import { Resolver } from "../../tools/simulator/resolve.js";
import { readOtaEntries, SlotControl, writeOtaEntry, type Slot } from "../../tools/simulator/slots.js";
import { schedulePhones } from "../../tools/simulator/phone.js";
import { Timers } from "../../tools/simulator/timers.js";
import { Touch } from "../../tools/simulator/touch.js";
import { checkWorld, type World } from "../../tools/simulator/world.js";
import { nodeCurve25519 } from "./node-curve25519.js";

export const network = { ssid: "Broome", password: "cable-beach-6725" };
const { layout } = esp32c3;
const SLOTS: Slot[] = [
  { label: "ota_0", ...layout.ota_0 },
  { label: "ota_1", ...layout.ota_1 },
];

/** What does not come in so much world time does not come. */
const MOST_WORLD_MS = 30 * 60_000;

/** The network above, and whatever else is given, under a fast clock. */
export function worldOf(more: object = {}): World {
  const points = [{ ...network, security: "wpa2", channel: 6, rssi: -50 }];
  return checkWorld({ seed: 1, clock: "fast", accessPoints: points, ...more });
}

export function blankFlash(): NorFlash {
  return NorFlash.open({ size: esp32c3.flashSize });
}

export interface BoardOptions {
  flash?: NorFlash;
  world?: World;
  /** The defaults block of the image. */
  defaults?: Defaults;
  /** What the image in that slot says of itself. */
  config?: (slot: string) => Partial<ImageConfig>;
  app?: (api: AppApi) => void;
  cause?: string; // of the reset
}

type Ending = "restart" | "power-cut" | undefined;
interface Engine {
  bus?: (operation: string, ...args: Value[]) => unknown;
  resource?: (name: string) => unknown;
  onBusEvent?: (name: string, ...args: Value[]) => void;
}
const engine = globalThis as Engine & Record<string, unknown>;

const looking = new Set<() => void>();

/** To whoever waits for something of the board: something has happened. */
function lookAgain(): void {
  const all = [...looking];
  looking.clear();
  for (const look of all) look();
}

/** Resolves when something has happened, or after 10 ms, for what happens outside the board. */
function nextLook(): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      clearTimeout(timeout);
      looking.delete(look);
      resolve();
    };
    const timeout = setTimeout(look, 10);
    looking.add(look);
  });
}

/** What a dead board answers: the code that runs on for a moment must neither fail loudly nor change anything. */
function afterlife(operation: string, args: Value[]): unknown {
  if (operation === "flash.read") return new Uint8Array(args[2] as number).fill(0xff);
  if (operation === "flash.open") return [0, 65536, 4096];
  if (operation === "slots.running") return ["ota_0", "valid"];
  if (operation === "system.restart") throw new Error("restart");
  return operation === "system.uptime" ? 0 : undefined;
}

/** One run, from a reset to the next. `reset` makes the next run on the same flash, in the same air. */
export class FirmwareBoard {
  /** The one that runs, or ran last. */
  static current: FirmwareBoard | undefined;
  readonly lines: string[] = [];
  /** Pins that are pulled down. */
  readonly pressed = new Set<number>();
  /** What was written to pins: number, level, ms since the start. */
  readonly lights: [number, boolean, number][] = [];
  /** Every attempt to join: SSID, and "BSSID channel" where it was made at one place only. */
  readonly joins: string[] = [];
  /** Gets what is said, as it is said. */
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  readonly flash: NorFlash;
  readonly clock: Clock;
  readonly air: Air;
  ending: Ending;
  readonly slots: SlotControl;
  private readonly options: BoardOptions;
  private readonly world: World;
  private readonly bus: Bus;
  private readonly events: EventQueue;
  private readonly radio: Radio;
  private readonly touch: Touch;
  /** What the world's phones were answered. */
  readonly answers: Uint8Array[] = [];
  private readonly net: Net;
  private readonly timers: Timers;
  private readonly console: Console;
  private readonly startedAt: number;
  private text = "";
  private pumping = false;
  private release: (() => void) | undefined;

  constructor(options: BoardOptions, before?: FirmwareBoard) {
    if (!before) FirmwareBoard.endAll();
    this.options = options;
    this.flash = options.flash ?? blankFlash();
    this.world = options.world ?? worldOf();
    this.clock = before?.clock ?? new Clock({ mode: this.world.clock, onStep: lookAgain });
    this.air = before?.air ?? new Air(this.world);
    const { clock, air, flash } = this;
    this.startedAt = clock.now();
    this.events = new EventQueue(() => this.pump());
    const { post } = this.events;
    this.radio = new Radio({ air, clock, post, chance: seededNumbers(1, "radio"), hostNumber: 2 });
    this.touch = new Touch({
      ...{ air, clock, post, radio: this.radio, chance: seededNumbers(1, "touch") },
      ...{ mac: new Uint8Array([2, 0, 0x5e, 0, 0x53, 1]), versions: esp32c3.touchVersions },
    });
    if (!before)
      schedulePhones(this.world.phones, { clock, air, seed: 1 }, (_, packet) => this.answers.push(packet));
    this.net = new Net({ radio: this.radio, clock, post, capture: undefined });
    this.radio.onReach = () => this.net.reachChanged();
    this.timers = new Timers(clock, post);
    this.console = new Console({ clock, post, toHost: (bytes) => this.hear(bytes), paced: false });
    const running = this.bootSlot();
    this.slots = new SlotControl({
      ...{ flash, otadata: layout.otadata, slots: SLOTS, running },
      verify: (slot) => verifySlot(flash, esp32c3, slot),
    });
    this.bus = createBus({
      station: this.radio,
      smartconfig: this.touch,
      tcp: this.net,
      resolve: new Resolver({ radio: this.radio, clock, post, hosts: this.world.hosts }),
      flash: new Regions(flash, {
        broome: layout.broome,
        other: SLOTS[1 - running],
        running: SLOTS[running],
      }),
      slots: this.slots,
      system: this.system(),
      console: this.console,
      crypto: new ChipCrypto(keyBytes(this.world, 1, "keys")),
      timer: this.timers,
      clock,
      random: seededBytes(1, "Math.random"),
      gpio: {
        read: (pin) => !this.pressed.has(pin),
        write: (pin, high) => void this.lights.push([pin, high, Math.round(clock.now() - this.startedAt)]),
      },
    });
    FirmwareBoard.current = this;
    this.plugIn(running);
  }

  /** After a test: nothing keeps the process alive. */
  static endAll(): void {
    FirmwareBoard.current?.end("restart");
    FirmwareBoard.current?.clock.close();
  }

  /** The store as the next run will find it. */
  get store(): LogStore {
    return new LogStore({ flash: regionOf(this.flash) });
  }

  /** World time since its start. */
  get uptimeMs(): number {
    return this.clock.now() - this.startedAt;
  }

  /** Runs again from the same flash. */
  reset(cause: string, options: BoardOptions = {}): FirmwareBoard {
    this.end("restart");
    return new FirmwareBoard(
      { ...this.options, flash: this.flash, world: this.world, cause, ...options },
      this,
    );
  }

  end(ending: Ending): void {
    if (this.ending) return;
    this.ending = ending;
    this.touch.stop();
    this.radio.close();
    this.net.reset();
    this.timers.clearAll();
    this.console.reset();
    this.events.clear();
    this.release?.();
  }

  type(text: string): void {
    this.send(new TextEncoder().encode(text));
  }

  /** Bytes to the UART. */
  send(bytes: Uint8Array): void {
    this.console.receive(bytes);
  }

  /** Everything that was said, also what is not a whole line. */
  get said(): string {
    return this.lines.join("\n") + "\n" + this.text;
  }

  async waitFor(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.until(pattern.source, () => pattern.exec(this.said.slice(from)) ?? undefined);
  }

  /**
   * Real time is bounded, and so is world time, which goes as fast as it can. Looked at after every event and every step of the clock: the
   * test goes on in the moment in which it came true, however busy the machine is.
   */
  async until<T>(what: string, condition: () => T | undefined, realMs = 45_000): Promise<T> {
    const end = Date.now() + realMs;
    const worldEnd = this.clock.now() + MOST_WORLD_MS;
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > end || this.clock.now() > worldEnd)
        throw new Error(`${what} did not come; said:\n${this.said.slice(-3000)}`);
      await nextLook();
    }
  }

  /** As the bootloader: the slot that otadata names, the other where its image is none. */
  private bootSlot(): number {
    const choice = chooseSlot(readOtaEntries(this.flash, layout.otadata), SLOTS.length);
    for (const sector of [0, 1] as const) {
      const { sequence, state, crcGood } = choice.entries[sector];
      if (choice.changed[sector] && crcGood)
        writeOtaEntry(this.flash, layout.otadata, sector, sequence, state);
    }
    const { slot } = choice;
    if (choice.initial) writeOtaEntry(this.flash, layout.otadata, 0, 1, OTA_VALID);
    const isImage = this.flash.read(SLOTS[slot]!.offset, 1)[0] === 0xe9;
    return isImage || slot === 0 ? slot : 1 - slot;
  }

  private system() {
    return {
      chip: esp32c3.name,
      mac: Uint8Array.of(2, 0, 0, 0, 0, 7),
      resetCause: this.options.cause ?? "power-on",
      restart: () => {
        this.end("restart");
        throw new Error("restart");
      },
      uptimeMs: () => this.clock.now() - this.startedAt,
      heap: () => [0, 0, 0] as [number, number, number],
      mark: () => undefined,
      feed: () => undefined,
    };
  }

  private plugIn(running: number): void {
    for (const name of ["busListeners", "busOwners", "busRadio", "onBusEvent"]) delete engine[name];
    engine.bus = (operation, ...args) => this.call(operation, args);
    Object.assign(engine, nodeCurve25519);
    const block = encodeDefaults(this.options.defaults ?? {});
    engine.resource = (name) => (name === "defaults.bin" ? block.slice().buffer : undefined);
    const config: ImageConfig = {
      ...{ product: "test", version: "1.0.0", chip: "esp32c3", layout: "4mb-2slot", sc: 0, updateKeys: [] },
      ...this.options.config?.(SLOTS[running]!.label),
    };
    this.guard(() => start(device, config, this.options.app ?? (() => undefined)));
  }

  private call(operation: string, args: Value[]): unknown {
    if (this.ending) return afterlife(operation, args);
    if (operation === "station.join") this.joins.push(joinText(args));
    try {
      return this.bus[operation]!(args);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.end("power-cut");
      return afterlife(operation, args);
    }
  }

  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.ending) throw error;
    }
  }

  /** One event at a time, and each after everything that the one before set going. */
  private pump(): void {
    if (this.pumping || this.ending) return;
    this.pumping = true;
    const release = (this.release = this.clock.hold());
    setImmediate(() => {
      const event = this.ending ? undefined : this.events.take();
      if (event) this.guard(() => engine.onBusEvent?.(...(event as [string, ...Value[]])));
      setImmediate(() => {
        this.pumping = false;
        lookAgain();
        release();
        if (this.events.length > 0) this.pump();
      });
    });
  }

  private hear(bytes: Uint8Array): void {
    this.onBytes?.(bytes);
    this.text += new TextDecoder().decode(bytes);
    const lines = this.text.split("\n");
    this.text = lines.pop()!;
    this.lines.push(...lines);
  }
}

export type { BusValue };

function joinText([ssid, , bssid, channel]: Value[]): string {
  const name = Buffer.from(ssid as Uint8Array).toString();
  return bssid ? `${name} at ${Buffer.from(bssid as Uint8Array).toString("hex")} ${String(channel)}` : name;
}

function regionOf(flash: NorFlash): ReturnType<Base["device"]["flash"]> {
  const { offset, size } = layout.broome;
  return {
    size,
    sectorSize: flash.sectorSize,
    read: (at, length) => flash.read(offset + at, length),
    eraseSector: (index) => flash.erase(offset + index * flash.sectorSize),
    write: (at, bytes) => flash.program(offset + at, bytes),
  };
}
