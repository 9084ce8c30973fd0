// Writes regions of flash: leaves alone what is right already, sends the rest compressed, compares MD5s afterwards.

import { Op } from "./command.js";
import { FlasherError } from "./error.js";
import { readIdentity, type Identity } from "./identity.js";
import type { Loader } from "./loader.js";
import { readFlash } from "./read-flash.js";
import { readFlashChip } from "./spi-flash.js";

const SECTOR_SIZE = 4096; // bytes
/** Where an older version of the same image lies, it is compared and written in pieces of this size. */
const PIECE_SIZE = 32 * 1024; // bytes
const WRITE_ATTEMPTS = 2; // of a piece, when its MD5 is wrong or the bootloader refuses
const WORD = 4; // bytes; flash is written in whole words

/** What the flasher cannot do itself without knowing where it runs. */
export interface Codecs {
  /** A zlib stream, as small as possible. */
  deflate(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** 32 lower-case hex digits. */
  md5(bytes: Uint8Array): string | Promise<string>;
}

export interface Region {
  /** A multiple of 4096. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** As the user knows it: a file name. */
  readonly name: string;
}

export interface FlashOptions {
  regions: readonly Region[];
  codecs: Codecs;
  /** To change to for the writes; falls back to the rate of the port when the line cannot. */
  baudRate?: number;
  /** Erase everything first. */
  erase?: boolean;
  /** Called when the chip is known and before anything changes; may throw to refuse. */
  check?(board: Board): void;
  /** True leaves a region as it is although its bytes differ. `read` reads flash. */
  leave?(region: Region, read: (offset: number, size: number) => Promise<Uint8Array>): Promise<boolean>;
  /** Bytes of the regions that are dealt with, written or not. */
  onProgress?(done: number, total: number): void;
  onNote?(text: string): void;
}

export interface Board {
  readonly identity: Identity;
  readonly flashSize: number; // bytes
}

export interface FlashResult extends Board {
  /** Bytes of the regions that were sent, before compression. */
  readonly bytesWritten: number;
  /** Both ways, framing included. */
  readonly bytesOnWire: number;
  readonly sectorsErased: number;
  /** Bytes of the regions that were right already, or may stay as they are. */
  readonly skipped: number;
  /** Every region's MD5 was compared, after writing or before skipping. */
  readonly verified: boolean;
}

/**
 * Connects, writes all regions, restarts the board into its app. Stopped half-way, the same call completes what is missing.
 *
 * @throws FlasherError `no-answer`, `not-a-bootloader`, `chip-unsupported`, `flash-too-small`, `region-invalid`,
 * `verify-failed`, `command-refused`; what `check` and the port throw; the loader's signal's reason
 */
export async function flash(loader: Loader, options: FlashOptions): Promise<FlashResult> {
  checkRegions(options.regions);
  await loader.connect();
  const board = await prepare(loader);
  options.check?.(board);
  checkSize(options.regions, board.flashSize);
  if (options.baudRate !== undefined)
    await speedUp(loader, options.baudRate, board.flashSize, options.onNote);
  const writer = new Writer(loader, options);
  if (options.erase) await writer.eraseAll(board.flashSize);
  for (const region of options.regions) await writer.write(region);
  await loader.runApp();
  const { sent, received } = loader.exchange.traffic;
  const { bytesWritten, sectorsErased, skipped } = writer.figures;
  return {
    ...board,
    bytesWritten,
    bytesOnWire: sent + received,
    sectorsErased,
    skipped,
    verified: writer.verifies,
  };
}

/** Who it is, and the flash made ready. */
export async function prepare(loader: Loader): Promise<Board> {
  const identity = await readIdentity(loader);
  await loader.attachFlash();
  const { size } = await readFlashChip(loader);
  await loader.setFlashSize(size);
  return { identity, flashSize: size };
}

async function speedUp(
  loader: Loader,
  baudRate: number,
  flashSize: number,
  onNote: ((text: string) => void) | undefined,
): Promise<void> {
  const { port } = loader.exchange;
  const before = port.baudRate;
  if (!port.hasBaudRate || baudRate === before || !loader.knows(Op.CHANGE_BAUDRATE)) return;
  try {
    await loader.changeBaudRate(baudRate);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== "no-answer" && code !== "command-refused") throw error;
    onNote?.(`${baudRate} baud does not work on this line; going on at ${before}`);
    await port.setBaudRate(before);
    await loader.connect();
    await loader.attachFlash();
    await loader.setFlashSize(flashSize);
  }
}

class Writer {
  readonly figures = { bytesWritten: 0, sectorsErased: 0, skipped: 0 };
  /** False for a ROM that cannot compute an MD5: nothing is skipped or verified then. */
  readonly verifies: boolean;
  private readonly loader: Loader;
  private readonly options: FlashOptions;
  private readonly deflates: boolean;
  private readonly total: number;
  private done = 0;

  constructor(loader: Loader, options: FlashOptions) {
    this.loader = loader;
    this.options = options;
    this.total = options.regions.reduce((sum, region) => sum + region.data.length, 0);
    const knows = (command: string) => loader.isStub || loader.chip.rom.commands.includes(command);
    this.verifies = knows("SPI_FLASH_MD5");
    this.deflates = knows("FLASH_DEFL_BEGIN");
  }

  async eraseAll(flashSize: number): Promise<void> {
    await this.loader.eraseFlash(flashSize);
    this.figures.sectorsErased += flashSize / SECTOR_SIZE;
  }

  async write(region: Region): Promise<void> {
    const pieces = await this.differing(region);
    const differing = pieces.reduce((sum, piece) => sum + piece.data.length, 0);
    this.figures.skipped += region.data.length - differing;
    this.advance(region.data.length - differing);
    for (const piece of pieces) await this.writePiece(piece);
    if (pieces.length > 1 && !(await this.isThere(region))) throw await this.wrong(region);
  }

  /** The stretches that have to be written; neighbours are one. */
  private async differing(region: Region): Promise<Region[]> {
    if (region.data.length === 0) return [];
    if (!this.verifies) return [region];
    if (await this.isThere(region)) return [];
    if (await this.options.leave?.(region, this.read)) return [];
    if (region.data.length <= PIECE_SIZE || !(await this.isThere(part(region, 0, SECTOR_SIZE))))
      return [region];
    const pieces: Region[] = [];
    let from: number | undefined;
    for (let at = 0; at < region.data.length; at += PIECE_SIZE) {
      const same = await this.isThere(part(region, at, at + PIECE_SIZE));
      if (!same) from ??= at;
      if (same && from !== undefined) {
        pieces.push(part(region, from, at));
        from = undefined;
      }
    }
    if (from !== undefined) pieces.push(part(region, from, region.data.length));
    return pieces;
  }

  private async writePiece(piece: Region): Promise<void> {
    const start = this.done;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.send(piece);
        if (!this.verifies || (await this.isThere(piece))) break;
        throw await this.wrong(piece);
      } catch (error) {
        const code = (error as { code?: string }).code ?? "";
        const mayHelp = ["verify-failed", "command-refused", "no-answer"].includes(code);
        if (attempt === WRITE_ATTEMPTS || !mayHelp) throw error;
        this.options.onNote?.(`${(error as Error).message}; writing it again`);
        this.done = start;
      }
    }
    this.figures.bytesWritten += piece.data.length;
  }

  private async send(piece: Region): Promise<void> {
    const { loader, deflates } = this;
    const bytes = padded(piece.data, WORD);
    const stream = deflates ? await this.options.codecs.deflate(bytes) : padded(bytes, loader.blockSize);
    if (deflates) await loader.beginDeflated(piece.offset, bytes.length, stream.length);
    else await loader.beginRaw(piece.offset, bytes.length);
    this.figures.sectorsErased += Math.ceil(bytes.length / SECTOR_SIZE);
    const op = deflates ? Op.FLASH_DEFL_DATA : Op.FLASH_DATA;
    const start = this.done;
    for (let at = 0, sequence = 0; at < stream.length; at += loader.blockSize, sequence += 1) {
      await loader.block(op, sequence, stream.subarray(at, at + loader.blockSize), bytes.length);
      const share = Math.min(1, (at + loader.blockSize) / stream.length);
      this.done = start;
      this.advance(Math.round(piece.data.length * share));
    }
  }

  private readonly read = (offset: number, size: number): Promise<Uint8Array> =>
    readFlash(this.loader, offset, size, this.options.codecs);

  private advance(bytes: number): void {
    this.done += bytes;
    this.options.onProgress?.(this.done, this.total);
  }

  private async isThere({ offset, data }: Region): Promise<boolean> {
    return (await this.loader.md5(offset, data.length)) === (await this.options.codecs.md5(data));
  }

  private async wrong({ name, offset, data }: Region): Promise<FlasherError> {
    const found = await this.loader.md5(offset, data.length);
    const range = `${name}: 0x${offset.toString(16)} to 0x${(offset + data.length).toString(16)}`;
    const message = `${range} has MD5 ${found} in flash, expected ${await this.options.codecs.md5(data)}`;
    const help = "Try again with -b 115200; if it stays, the flash chip is failing.";
    return new FlasherError("verify-failed", message, help);
  }
}

function part(region: Region, from: number, to: number): Region {
  return { ...region, offset: region.offset + from, data: region.data.subarray(from, to) };
}

function padded(bytes: Uint8Array, unit: number): Uint8Array {
  if (bytes.length % unit === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / unit) * unit).fill(0xff);
  whole.set(bytes);
  return whole;
}

/** Sectors are erased whole: no two regions may share one. @throws FlasherError `region-invalid` */
function checkRegions(regions: readonly Region[]): void {
  const sorted = [...regions].sort((a, b) => a.offset - b.offset);
  sorted.forEach((region, index) => {
    const where = `${region.name} at 0x${region.offset.toString(16)}`;
    if (!Number.isInteger(region.offset) || region.offset < 0 || region.offset % SECTOR_SIZE !== 0) {
      throw new FlasherError(
        "region-invalid",
        `${where} does not begin at a 4 KB sector`,
        "Give a multiple of 0x1000.",
      );
    }
    const next = sorted[index + 1];
    const end = Math.ceil((region.offset + region.data.length) / SECTOR_SIZE) * SECTOR_SIZE;
    if (next && end > next.offset) {
      const message = `${where} reaches into ${next.name} at 0x${next.offset.toString(16)}`;
      throw new FlasherError(
        "region-invalid",
        message,
        "Check the offsets: files must not share a 4 KB sector.",
      );
    }
  });
}

/** @throws FlasherError `flash-too-small` */
function checkSize(regions: readonly Region[], flashSize: number): void {
  for (const { name, offset, data } of regions) {
    if (offset + data.length <= flashSize) continue;
    const end = `0x${(offset + data.length).toString(16)}`;
    const message = `${name} ends at ${end}, the flash at 0x${flashSize.toString(16)} (${flashSize / 2 ** 20} MB)`;
    throw new FlasherError(
      "flash-too-small",
      message,
      "Use a board with more flash, or another partition table.",
    );
  }
}
