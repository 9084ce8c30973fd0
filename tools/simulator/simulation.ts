// A virtual world with its boards, put together: flash files, ports, control sockets, one clock and one air for all.

import { randomBytes } from "node:crypto";
import { appendFileSync, rmSync, statSync } from "node:fs";
import { join, parse, resolve } from "node:path";
import type { Chip } from "../chips/chip.js";
import type { Engine } from "../engine/engine.js";
import { Air } from "./air.js";
import { Board, macText } from "./board.js";
import { Clock } from "./clock.js";
import { serveControl, type ControlServer } from "./control.js";
import { scheduleFaults } from "./faults.js";
import { NorFlash } from "./flash.js";
import { lockFlash } from "./flash-lock.js";
import { nextMac, virtualMac } from "./mac.js";
import { PcapWriter } from "./pcap.js";
import { schedulePhones } from "./phone.js";
import { openPorts, type Ports } from "./ports.js";
import { runtimePath } from "./runtime-folder.js";
import { hearLoopback } from "./touch-udp.js";
import type { World } from "./world.js";

export interface SimulationOptions {
  /** TCP port of RFC 2217, of a single board; default: free ones. */
  port?: number | undefined;
  engine: Engine;
  chip: Chip;
  world: World;
  count?: number;
  /** Flash file; made erased where it is absent. Without it: a temporary one. Boards after the first add `-1`, `-2`. */
  flashFile?: string;
  /** Bytes, for files that have to be made. */
  flashSize?: number;
  /** Of the first board; by default made from the flash file's path. */
  mac?: Uint8Array;
  download?: boolean;
  paced?: boolean;
  arena?: number;
  stack?: number;
  watchdogMs?: number;
  capture?: string;
  /** What the boards say on their UARTs is appended to this file. */
  log?: string;
  /** The same, as it is said; boards are numbered from 0. */
  onUart?: (number: number, bytes: Uint8Array) => void;
  note?: (line: string) => void;
}

/** How one board is reached: the line that `broome sim` prints. */
export interface Reach {
  readonly port: string;
  readonly rfc2217: string;
  readonly tcp: string;
  readonly pty?: string;
  readonly control: string;
  readonly mac: string;
  readonly flash: string;
  readonly chip: string;
}

export interface Simulated {
  readonly board: Board;
  readonly reach: Reach;
  readonly flash: NorFlash;
}

interface Part extends Simulated {
  close(): Promise<void>;
}

export interface Simulation {
  readonly boards: readonly Simulated[];
  readonly clock: Clock;
  readonly air: Air;
  readonly seed: number;
  /** Ends everything; temporary files are removed. May be called twice. */
  close(): Promise<void>;
}

/**
 * Sets up a world and switches its boards on.
 *
 * @throws BroomeError `flash-busy`, `flash-size`, `pty-failed`
 */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { world } = options;
  const seed = world.seed ?? randomBytes(4).readUInt32LE();
  const start = world.start === undefined ? undefined : Date.parse(world.start);
  const clock = new Clock({ mode: options.paced ? "real" : world.clock, start });
  const air = new Air(world);
  const capture = options.capture === undefined ? undefined : new PcapWriter(options.capture);
  const parts: Part[] = [];
  // A fast clock would have to stand still for datagrams from outside.
  const hears = clock.mode === "real" && world.air.loopback;
  const deafen = hears ? hearLoopback(air, (line) => options.note?.(line)) : () => undefined;
  const close = async () => {
    deafen();
    await Promise.all(parts.splice(0).map((part) => part.close()));
    clock.close();
    capture?.close();
  };
  try {
    for (let number = 0; number < (options.count ?? 1); number += 1)
      parts.push(await makeBoard({ ...options, number, seed, clock, air, pcap: capture }));
    const boards = parts.slice();
    const victims = boards.map(({ board }) => board);
    scheduleFaults(world.faults, clock, air, victims);
    schedulePhones(world.phones, { clock, air, seed }, (phone, packet) =>
      options.note?.(`phone ${phone} was answered by ${macText(packet.subarray(1, 7))}`),
    );
    for (const board of victims) board.powerOn();
    return { boards, clock, air, seed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface PartOptions extends SimulationOptions {
  number: number;
  seed: number;
  clock: Clock;
  air: Air;
  pcap: PcapWriter | undefined;
}

async function makeBoard(options: PartOptions): Promise<Part> {
  const { chip, engine, number, seed, clock, air, world } = options;
  const place = flashPlace(options.flashFile, number);
  const unlock = lockFlash(place.path);
  const undo: (() => unknown)[] = [unlock, place.remove];
  const closeAll = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const flash = NorFlash.open({
      path: place.path,
      size: sizeOf(place.path) ?? options.flashSize ?? chip.flashSize,
    });
    undo.push(() => flash.close());
    const ports: Ports = await openPorts({
      ptyHelper: engine.pty,
      ...(options.port !== undefined && { port: options.port }),
    });
    undo.push(() => ports.close());
    const mac = nextMac(options.mac ?? virtualMac(options.flashFile && resolve(options.flashFile)), number);
    const log = options.log === undefined ? undefined : numbered(options.log, number);
    const note = (line: string) =>
      options.note?.((options.count ?? 1) > 1 ? `board ${number}: ${line}` : line);
    const { download, paced, arena, stack, watchdogMs } = options;
    const board = new Board({
      ...{
        chip,
        engine,
        flash,
        mac,
        world,
        clock,
        air,
        seed,
        number,
        download,
        paced,
        arena,
        stack,
        watchdogMs,
        note,
      },
      flashFile: place.path,
      uart: ports.uart,
      capture: options.pcap,
      onUart: (bytes) => {
        if (log !== undefined) appendFileSync(log, bytes);
        options.onUart?.(number, bytes);
      },
    });
    undo.push(() => board.close());
    const control: ControlServer = await serveControl(board);
    undo.push(() => control.close());
    const reach: Reach = {
      port: ports.rfc2217,
      rfc2217: ports.rfc2217,
      tcp: ports.tcp,
      ...(ports.pty === undefined ? {} : { pty: ports.pty }),
      control: control.path,
      mac: macText(mac),
      flash: place.path,
      chip: chip.name,
    };
    return { board, reach, flash, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** A file that stays, or a temporary one. */
function flashPlace(flashFile: string | undefined, number: number): { path: string; remove(): void } {
  if (flashFile !== undefined) return { path: numbered(resolve(flashFile), number), remove: () => undefined };
  const path = runtimePath(".flash");
  return { path, remove: () => rmSync(path, { force: true }) };
}

function numbered(path: string, number: number): string {
  if (number === 0) return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${number}${ext}`);
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
