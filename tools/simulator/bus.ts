// The bus between the engine and the board: the complete list of operations, each one call of a peripheral.

import type { Value } from "../engine/engine.js";
import { bytesAt, exactBytesAt, optionalAt, textAt, wholeAt } from "./arguments.js";
import type { ChipCrypto } from "./crypto.js";
import type { Clock } from "./clock.js";
import type { Console } from "./console.js";
import type { Net } from "./net.js";
import type { Radio } from "./radio.js";
import type { RandomBytes } from "./random.js";
import type { Regions } from "./regions.js";
import type { Resolver } from "./resolve.js";
import type { SlotControl } from "./slots.js";
import type { Timers } from "./timers.js";
import type { Touch } from "./touch.js";

/** What the program can ask of the chip as a whole. */
export interface SystemControl {
  readonly chip: string;
  readonly mac: Uint8Array;
  readonly resetCause: string;
  restart(): void;
  uptimeMs(): number;
  heap(): [free: number, peak: number, limit: number];
  mark(phase: string): void;
  feed(): void;
}

export interface Peripherals {
  station: Radio;
  tcp: Net;
  resolve: Resolver;
  flash: Regions;
  slots: SlotControl;
  system: SystemControl;
  console: Console;
  crypto: ChipCrypto;
  timer: Timers;
  smartconfig: Touch;
  clock: Clock;
  random: RandomBytes;
  gpio: PinControl;
}

/** The pins, by the chip's numbers. An input that nobody drives is pulled up. */
export interface PinControl {
  read(pin: number): boolean;
  write(pin: number, high: boolean): void;
}

export type Operation = (args: Value[]) => Value;
export type Bus = Readonly<Record<string, Operation>>;

const MAX_SSID = 32; // bytes
const MAX_PASSWORD = 64; // characters
const MAX_HOST_NAME = 32; // characters
const MAX_PIN = 48;
const TOUCH_KEY = 16; // characters
const MAX_RANDOM = 4096; // bytes a call

/** The table of operations over one board's peripherals. */
export function createBus(p: Peripherals): Bus {
  return { ...radioBus(p), ...touchBus(p), ...netBus(p), ...flashBus(p), ...systemBus(p), ...cryptoBus(p) };
}

/** An operation that answers nothing. */
function silent(action: (args: Value[]) => void): Operation {
  return (args) => {
    action(args);
    return undefined;
  };
}

function radioBus({ station }: Peripherals): Bus {
  return {
    "station.scan": silent(() => station.scan()),
    "station.join": silent((args) =>
      station.join({
        ssid: bytesAt(args, 0, MAX_SSID),
        password: textAt(args, 1, MAX_PASSWORD),
        bssid: optionalAt(args, 2, (list, index) => exactBytesAt(list, index, 6)),
        channel: optionalAt(args, 3, (list, index) => wholeAt(list, index, 14)),
      }),
    ),
    "station.leave": silent(() => station.leave()),
    "station.hostName": silent((args) => station.setHostName(textAt(args, 0, MAX_HOST_NAME))),
    "station.rssi": () => station.rssi(),
  };
}

function touchBus({ smartconfig }: Peripherals): Bus {
  return {
    "smartconfig.start": silent((args) => {
      const key = optionalAt(args, 0, (list, index) => textAt(list, index, TOUCH_KEY));
      smartconfig.start(key === undefined ? undefined : Buffer.from(key, "latin1"));
    }),
    "smartconfig.stop": silent(() => smartconfig.stop()),
    "smartconfig.acknowledge": silent(() => smartconfig.acknowledge()),
    "smartconfig.receiving": () => smartconfig.receiving(),
  };
}

function netBus({ tcp, resolve }: Peripherals): Bus {
  return {
    "tcp.open": (args) => tcp.connect(textAt(args, 0, 15), wholeAt(args, 1, 0xffff)),
    "tcp.read": (args) =>
      tcp.read(wholeAt(args, 0), optionalAt(args, 1, (list, index) => wholeAt(list, index)) ?? 0xffff),
    "tcp.write": silent((args) => tcp.write(wholeAt(args, 0), bytesAt(args, 1))),
    "tcp.close": silent((args) => tcp.close(wholeAt(args, 0))),
    "resolve.lookup": (args) => resolve.lookup(textAt(args, 0, 253)),
  };
}

function flashBus({ flash, slots }: Peripherals): Bus {
  return {
    "flash.open": (args) => flash.open(textAt(args, 0, 16)),
    "flash.read": (args) => flash.read(wholeAt(args, 0), wholeAt(args, 1), wholeAt(args, 2, 0x8000)),
    "flash.erase": silent((args) => flash.erase(wholeAt(args, 0), wholeAt(args, 1))),
    "flash.write": silent((args) => flash.write(wholeAt(args, 0), wholeAt(args, 1), bytesAt(args, 2))),
    "slots.running": () => slots.running(),
    "slots.other": () => slots.other(),
    "slots.invalidateOther": silent(() => slots.invalidateOther()),
    "slots.selectOther": silent(() => slots.selectOther()),
    "slots.rearmOther": silent(() => slots.rearmOther()),
    "slots.markValid": silent(() => slots.markValid()),
    "slots.markInvalid": silent(() => slots.markInvalid()),
  };
}

function systemBus({ system, console, timer, clock, random, gpio }: Peripherals): Bus {
  return {
    "system.info": () => [system.chip, system.mac, system.resetCause],
    "system.restart": silent(() => system.restart()),
    "system.uptime": () => system.uptimeMs(),
    "system.heap": () => system.heap(),
    "system.mark": silent((args) => system.mark(textAt(args, 0, 16))),
    "system.feed": silent(() => system.feed()),
    "console.write": silent((args) => console.write(bytesAt(args, 0))),
    "timer.set": (args) => timer.set(Number(args[0]), args[1] === true),
    "timer.clear": silent((args) => timer.clear(wholeAt(args, 0))),
    "clock.now": () => clock.date(),
    "gpio.read": (args) => gpio.read(wholeAt(args, 0, MAX_PIN)),
    "gpio.write": silent((args) => gpio.write(wholeAt(args, 0, MAX_PIN), args[1] === true)),
    "random.bytes": (args) => random(wholeAt(args, 0, MAX_RANDOM)),
  };
}

function cryptoBus({ crypto }: Peripherals): Bus {
  const parts = (args: Value[], from: number) =>
    args.slice(from).map((_, index) => bytesAt(args, from + index));
  return {
    "crypto.random": (args) => crypto.random(wholeAt(args, 0, MAX_RANDOM)),
    "crypto.sha256": (args) => crypto.sha256(parts(args, 0)),
    "crypto.hashStart": () => crypto.hashStart(),
    "crypto.hashUpdate": silent((args) => crypto.hashUpdate(wholeAt(args, 0), bytesAt(args, 1))),
    "crypto.hashDigest": (args) => crypto.hashDigest(wholeAt(args, 0)),
    "crypto.hmac": (args) => crypto.hmac(bytesAt(args, 0), parts(args, 1)),
    "crypto.aesCbcEncrypt": (args) =>
      crypto.aesCbcEncrypt(exactBytesAt(args, 0, 16), exactBytesAt(args, 1, 16), bytesAt(args, 2)),
    "crypto.aesCbcDecrypt": (args) =>
      crypto.aesCbcDecrypt(exactBytesAt(args, 0, 16), exactBytesAt(args, 1, 16), bytesAt(args, 2)),
    "crypto.aesGcmSeal": (args) =>
      crypto.aesGcmSeal(
        exactBytesAt(args, 0, 32),
        exactBytesAt(args, 1, 12),
        bytesAt(args, 2),
        bytesAt(args, 3),
      ),
    "crypto.aesGcmOpen": (args) =>
      crypto.aesGcmOpen(
        exactBytesAt(args, 0, 32),
        exactBytesAt(args, 1, 12),
        bytesAt(args, 2),
        bytesAt(args, 3),
      ),
  };
}
