// Brings flash to what it should hold: asks for MD5s, writes the sectors that differ, asks again. Nothing is written twice.

import type { Codecs } from "./codecs.js";
import { Op } from "./command.js";
import { differing } from "./difference.js";
import { FlasherError } from "./error.js";
import { writeTimeoutMs, type Loader } from "./loader.js";
import { partitionsOnBoard } from "./places.js";
import { readFlash } from "./read-flash.js";
import { checkRegions, checkSize, rangeText, SECTOR_SIZE, sizeOf, type Region } from "./regions.js";
import { isTrouble, Session, type Board, type SessionOptions } from "./session.js";
import { pack, packedSize, writePacked, type Packed } from "./writer.js";

/** Bytes to send from which loading the stub (about 7 KB) costs less than a ROM's small blocks. */
const STUB_PAYS_FROM = 48 * 1024;
/** Loading the stub, and what it saves: at the CPU's full speed it hashes that much faster than a ROM (assumed). */
const STUB_SIZE = 7 * 1024; // bytes
const STUB_START_MS = 30;
const MD5_GAIN_MS_PER_MB = 250;
/** Troubles one after the other without any progress, and troubles at one baud rate, before the next lower one is tried. */
const TROUBLES_IN_A_ROW = 2;
const TROUBLES_AT_A_RATE = 4;

export interface FlashOptions extends SessionOptions {
  regions: readonly Region[];
  codecs: Codecs;
  /** Erase everything first. */
  erase?: boolean;
  /** Called when the chip is known and before anything changes; may throw to refuse, or say what to write instead. */
  check?(board: Board): readonly Region[] | void;
  /** True leaves a region as it is although its bytes differ. `read` reads flash. */
  leave?(region: Region, read: (offset: number, size: number) => Promise<Uint8Array>): Promise<boolean>;
  /** Bytes of the regions that are dealt with, written or not. */
  onProgress?(done: number, total: number): void;
  /** Leaves the board in the bootloader. */
  stay?: boolean;
}

export interface FlashResult extends Board {
  /** Bytes of the sectors that differed, before compression. */
  readonly bytesWritten: number;
  /** Both ways, framing included. */
  readonly bytesOnWire: number;
  readonly sectorsErased: number;
  /** Bytes of the regions that were right already, or may stay as they are. */
  readonly skipped: number;
  /** Every byte's MD5 was compared, after writing or instead of it. */
  readonly verified: boolean;
  /** The stub did the writing. */
  readonly stub: boolean;
  readonly baudRate: number;
}

/**
 * Connects, makes flash hold all regions, restarts the board into its app. Stopped half-way, the same call goes on where it
 * stopped.
 *
 * @throws FlasherError `no-answer`, `not-a-bootloader`, `chip-unsupported`, `flash-too-small`, `region-invalid`,
 * `verify-failed`, `command-refused`; what `check` and the port throw; the loader's signal's reason
 */
export async function flash(loader: Loader, options: FlashOptions): Promise<FlashResult> {
  checkRegions(options.regions);
  const session = new Session(loader, options);
  const found = await session.open((at) => options.erase === true || stubPays(at, sizeOf(options.regions)));
  const board = options.erase ? found : await withPartitions(found, session, options);
  const regions = options.check?.(board) ?? options.regions;
  checkRegions(regions);
  checkSize(regions, board.flashSize);
  const job = new Job(session, options, regions);
  if (options.erase) await job.eraseAll(board.flashSize);
  await job.run();
  const stub = loader.isStub;
  if (!options.stay) await loader.runApp();
  const { sent, received } = loader.exchange.traffic;
  return {
    ...board,
    ...job.figures,
    bytesOnWire: sent + received,
    verified: job.verifies,
    stub,
    baudRate: loader.exchange.port.baudRate,
  };
}

/** With what its partition table says, where the bootloader can read it and the line lets it. */
async function withPartitions(board: Board, session: Session, options: FlashOptions): Promise<Board> {
  const { loader } = session;
  if (!loader.knows(Op.READ_FLASH_SLOW) && !loader.isStub) return board;
  const { chip } = board.identity;
  const read = (offset: number, size: number) => readFlash(loader, offset, size, options.codecs);
  try {
    const partitions = await partitionsOnBoard(chip, options.regions, read);
    return partitions === undefined ? board : { ...board, partitions };
  } catch (error) {
    if (!isTrouble(error)) throw error;
    await session.recover();
    return board;
  }
}

/** Without the stub nothing could be compared, or it costs less than it saves in hashing. */
function stubPays(loader: Loader, bytes: number): boolean {
  if (!loader.knows(Op.SPI_FLASH_MD5)) return true;
  const loadMs = STUB_START_MS + (STUB_SIZE * 10_000) / loader.exchange.port.baudRate;
  return (bytes / 2 ** 20) * MD5_GAIN_MS_PER_MB > loadMs;
}

class Job {
  readonly figures = { bytesWritten: 0, sectorsErased: 0, skipped: 0 };
  private readonly session: Session;
  private readonly loader: Loader;
  private readonly options: FlashOptions;
  private readonly regions: readonly Region[];
  private readonly total: number;
  /** What is not known to be right: all, then what differed. */
  private open: readonly Region[];
  private compared = false;
  private written = false;
  private troublesInARow = 0;
  private troublesAtRate = 0;
  private busyMs = 0;
  private progress = 0;

  constructor(session: Session, options: FlashOptions, regions: readonly Region[]) {
    this.session = session;
    this.loader = session.loader;
    this.options = options;
    this.regions = regions;
    this.open = regions;
    this.total = sizeOf(regions);
  }

  /** False for a ROM that cannot compute an MD5 and has no stub: nothing is skipped or verified then. */
  get verifies(): boolean {
    return this.loader.knows(Op.SPI_FLASH_MD5);
  }

  async eraseAll(flashSize: number): Promise<void> {
    await this.session.useStub(); // erases the chip at once, where a ROM goes sector by sector
    await this.loader.eraseFlash(flashSize);
    this.figures.sectorsErased += flashSize / SECTOR_SIZE;
  }

  async run(): Promise<void> {
    for (;;) {
      try {
        if (await this.round()) return;
      } catch (error) {
        if (!isTrouble(error)) throw error;
        await this.handle(error as Error);
      }
    }
  }

  /** Compares, then writes what differs. True when there was nothing to write. */
  private async round(): Promise<boolean> {
    if (stubPays(this.loader, sizeOf(this.open))) await this.session.useStub();
    const wrong = await this.compare();
    if (wrong.length === 0) return true;
    const packed = await Promise.all(wrong.map((region) => pack(region, this.loader, this.options.codecs)));
    if (packedSize(packed) >= STUB_PAYS_FROM) await this.session.useStub();
    for (const each of packed) await this.write(each);
    this.written = true;
    return !this.verifies;
  }

  private async compare(): Promise<readonly Region[]> {
    const before = sizeOf(this.open);
    if (this.verifies) {
      const { loader, busyMs } = this;
      const { codecs } = this.options;
      this.open = await differing(this.open, { loader, codecs, busyMs, expectSame: this.compared });
    }
    this.busyMs = 0;
    if (!this.compared) {
      this.compared = true;
      this.open = await this.withoutLeft(this.open);
      this.figures.bytesWritten = sizeOf(this.open);
      this.figures.skipped = this.total - this.figures.bytesWritten;
    }
    if (sizeOf(this.open) < before && !this.written) this.troublesInARow = 0;
    this.advance(this.total - sizeOf(this.open));
    if (this.written && this.open.length > 0) throw await this.mismatch();
    return this.open;
  }

  /** Without what differs in regions that may stay as they are. */
  private async withoutLeft(wrong: readonly Region[]): Promise<readonly Region[]> {
    const { leave } = this.options;
    if (!leave) return wrong;
    const kept: Region[] = [];
    for (const region of this.regions) {
      const end = region.offset + region.data.length;
      const parts = wrong.filter(({ offset }) => offset >= region.offset && offset < end);
      if (parts.length > 0 && !(await leave(region, this.read))) kept.push(...parts);
    }
    return kept;
  }

  private async write(packed: Packed): Promise<void> {
    const start = this.progress;
    const { length } = packed.region.data;
    this.figures.sectorsErased += Math.ceil(length / SECTOR_SIZE);
    this.busyMs = writeTimeoutMs(length);
    await writePacked(this.loader, packed, (bytes) => this.advance(start + bytes));
  }

  private async handle(error: Error): Promise<void> {
    this.written = false;
    this.troublesInARow += 1;
    this.troublesAtRate += 1;
    const hopeless = this.troublesInARow >= TROUBLES_IN_A_ROW;
    if (hopeless || this.troublesAtRate >= TROUBLES_AT_A_RATE) {
      this.troublesInARow = 0;
      this.troublesAtRate = 0;
      if (await this.session.slower()) return;
      if (hopeless) throw error;
    }
    this.options.onNote?.(`${error.message}; going on from there`);
    await this.session.recover();
  }

  private readonly read = (offset: number, size: number): Promise<Uint8Array> =>
    readFlash(this.loader, offset, size, this.options.codecs);

  private advance(bytes: number): void {
    if (bytes <= this.progress) return;
    this.progress = bytes;
    this.options.onProgress?.(bytes, this.total);
  }

  private async mismatch(): Promise<FlasherError> {
    const region = this.open[0]!;
    const found = await this.loader.md5(region.offset, region.data.length);
    const expected = await this.options.codecs.md5(region.data);
    const message = `${rangeText(region)} has MD5 ${found} in flash, expected ${expected}`;
    const help = "Try again with -b 115200; if it stays, the flash chip is failing.";
    return new FlasherError("verify-failed", message, help);
  }
}
