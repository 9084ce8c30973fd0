// Strict NOR flash: erase sets a 4 KB sector to FF, a program only clears bits; violations fail loudly, power can be cut.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { BroomeError } from "../error.js";
import { seeded } from "./seeded.js";

export const SECTOR_SIZE = 4096; // bytes

/** Misuse of the flash by the code that drives it, or a file that cannot be one. */
export class FlashError extends BroomeError {}

/** The power went in the middle of an erase or a program; what is in flash now is torn. */
export class PowerCut extends Error {
  readonly code = "power-cut";
}

export interface NorFlashOptions {
  /** Backing file; created full of FF when absent. Without it the flash lives in memory. */
  path?: string;
  /** Bytes; a multiple of the sector size. */
  size: number;
  /** What a flash in memory holds at first, from its beginning on; default: nothing but FF. Copied where it is written. */
  content?: Uint8Array;
}

interface Cells {
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  close(): void;
}

/**
 * A SPI NOR flash. Every erase and program reaches the backing file before the call returns, so that a board process
 * killed at any moment leaves what its flash held.
 */
export class NorFlash {
  readonly size: number;
  readonly sectorSize = SECTOR_SIZE;
  readonly operations = { reads: 0, erases: 0, programs: 0 };
  /** Erases of each sector since the flash was opened. */
  readonly eraseCounts: Uint32Array;
  /** Told of each erase and program that has been done, in bytes. */
  onWork: ((what: "erase" | "program", offset: number, length: number) => void) | undefined;
  private readonly cells: Cells;
  private closed = false;
  private untilCut: number | undefined;
  private tornSeed = 1;

  private constructor(cells: Cells, size: number) {
    this.cells = cells;
    this.size = size;
    this.eraseCounts = new Uint32Array(size / SECTOR_SIZE);
  }

  /** @throws FlashError `flash-size`, when the size is not whole sectors or the file has another one. */
  static open(options: NorFlashOptions): NorFlash {
    const { path, size, content } = options;
    if (!Number.isInteger(size) || size <= 0 || size % SECTOR_SIZE !== 0) {
      const message = `flash size ${size} is not a multiple of ${SECTOR_SIZE}`;
      throw new FlashError("flash-size", message, "Give a size in whole 4 KB sectors, for example 4194304.");
    }
    return new NorFlash(path === undefined ? memoryCells(size, content) : fileCells(path, size), size);
  }

  /** A copy of `length` bytes. */
  read(offset: number, length: number): Uint8Array {
    this.check("read", offset, length);
    this.operations.reads += 1;
    return this.cells.read(offset, length);
  }

  /** Erases the sector that begins at `offset`. @throws FlashError `flash-not-aligned`, `flash-out-of-range`; PowerCut */
  erase(offset: number): void {
    this.check("erase", offset, SECTOR_SIZE);
    if (offset % SECTOR_SIZE !== 0) {
      throw misuse(
        "flash-not-aligned",
        `erase at ${hex(offset)}: not the start of a ${SECTOR_SIZE}-byte sector`,
      );
    }
    const cut = this.countDown();
    this.operations.erases += 1;
    this.eraseCounts[offset / SECTOR_SIZE]! += 1;
    if (cut !== undefined) {
      this.cells.write(offset, tornErase(this.cells.read(offset, SECTOR_SIZE), cut));
      throw new PowerCut(`power cut in the erase at ${hex(offset)}`);
    }
    this.cells.write(offset, new Uint8Array(SECTOR_SIZE).fill(0xff));
    this.onWork?.("erase", offset, SECTOR_SIZE);
  }

  /**
   * Clears bits so that `bytes` lie at `offset`.
   *
   * @throws FlashError `flash-not-erased` when a bit would have to go from 0 to 1 (nothing is written then);
   * `flash-out-of-range`; PowerCut
   */
  program(offset: number, bytes: Uint8Array): void {
    this.check("program", offset, bytes.length);
    const old = this.cells.read(offset, bytes.length);
    for (let i = 0; i < bytes.length; i += 1) {
      if ((old[i]! & bytes[i]!) !== bytes[i]!) {
        const there = `holds ${hexByte(old[i]!)}, wanted ${hexByte(bytes[i]!)}`;
        throw misuse("flash-not-erased", `program at ${hex(offset + i)}: ${there}; only an erase sets bits`);
      }
    }
    const cut = this.countDown();
    this.operations.programs += 1;
    if (cut !== undefined) {
      this.cells.write(offset, tornProgram(old, bytes, cut));
      throw new PowerCut(`power cut in the program at ${hex(offset)}`);
    }
    this.cells.write(offset, bytes);
    this.onWork?.("program", offset, bytes.length);
  }

  /**
   * The n-th erase or program from now (1 = the next) is torn part-way and throws PowerCut, and so does every later one,
   * until `cutAfter(undefined)` brings the power back. The seed decides how it is torn.
   */
  cutAfter(n: number | undefined, tornSeed = 1): void {
    if (n !== undefined && !(Number.isInteger(n) && n >= 1))
      throw new RangeError(`cutAfter: expected n >= 1, got ${n}`);
    this.untilCut = n;
    this.tornSeed = tornSeed;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cells.close();
  }

  private check(what: string, offset: number, length: number): void {
    if (this.closed) throw misuse("flash-closed", `${what} after close`);
    const whole = Number.isInteger(offset) && Number.isInteger(length);
    if (!whole || offset < 0 || length < 0 || offset + length > this.size) {
      const range = `${what} of ${length} bytes at ${offset}`;
      throw misuse("flash-out-of-range", `${range}: outside a flash of ${this.size} bytes`);
    }
  }

  /** Undefined while there is power, else the chance that tears this operation. */
  private countDown(): (() => number) | undefined {
    if (this.untilCut === undefined) return undefined;
    if (this.untilCut === 0) throw new PowerCut("the power is off");
    this.untilCut -= 1;
    return this.untilCut === 0 ? seeded(this.tornSeed) : undefined;
  }
}

/** A prefix of the bytes, and perhaps some of the bits of the next. */
function tornProgram(old: Uint8Array, bytes: Uint8Array, chance: () => number): Uint8Array {
  const torn = old.slice();
  const whole = Math.floor(chance() * (bytes.length + 1));
  torn.set(bytes.subarray(0, whole));
  if (whole < bytes.length && chance() < 0.5) {
    const mask = Math.floor(chance() * 256);
    torn[whole] = old[whole]! & (bytes[whole]! | mask);
  }
  return torn;
}

/** Nothing yet, all of it, or cells anywhere between: old, erased, or with only some of the bits back at 1. */
function tornErase(old: Uint8Array, chance: () => number): Uint8Array {
  const extent = chance();
  if (extent < 0.1) return old;
  if (extent > 0.9) return new Uint8Array(old.length).fill(0xff);
  return old.map((byte) => {
    const cell = chance();
    if (cell < 0.3) return byte;
    return cell < 0.6 ? 0xff : byte | Math.floor(chance() * 256);
  });
}

/** Sectors are made, or copied, when they are written. */
function memoryCells(size: number, content: Uint8Array = new Uint8Array(0)): Cells {
  const written = new Map<number, Uint8Array>();
  const sectorOf = (number: number) => {
    const sector = written.get(number);
    if (sector) return sector;
    const made = new Uint8Array(SECTOR_SIZE).fill(0xff);
    made.set(content.subarray(number * SECTOR_SIZE, (number + 1) * SECTOR_SIZE));
    written.set(number, made);
    return made;
  };
  return {
    read(offset, length) {
      const bytes = new Uint8Array(length).fill(0xff);
      bytes.set(content.subarray(offset, offset + length));
      for (const [number, first, from, until] of partsOf(offset, length))
        if (written.has(number)) bytes.set(written.get(number)!.subarray(from, until), first);
      return bytes;
    },
    write(offset, data) {
      for (const [number, first, from, until] of partsOf(offset, data.length))
        sectorOf(number).set(data.subarray(first, first + until - from), from);
    },
    close: () => undefined,
  };
}

/** For each sector of a range: its number, where its part is in the range, and the part's place in the sector. */
function* partsOf(offset: number, length: number): Generator<[number, number, number, number]> {
  for (let at = offset; at < offset + length;) {
    const from = at % SECTOR_SIZE;
    const until = Math.min(SECTOR_SIZE, from + offset + length - at);
    yield [Math.floor(at / SECTOR_SIZE), at - offset, from, until];
    at += until - from;
  }
}

function fileCells(path: string, size: number): Cells {
  const file = openOrCreate(path, size);
  const found = fstatSync(file).size;
  if (found !== size) {
    closeSync(file);
    const message = `${path} is ${found} bytes, the flash ${size}`;
    throw new FlashError(
      "flash-size",
      message,
      "Give the size that the file was made with, or another file.",
    );
  }
  return {
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const count = readSync(file, bytes, done, length - done, offset + done);
        if (count === 0) throw misuse("flash-size", `${path} was cut short while in use`);
        done += count;
      }
      return bytes;
    },
    write(offset, data) {
      let done = 0;
      while (done < data.length) done += writeSync(file, data, done, data.length - done, offset + done);
    },
    close: () => closeSync(file),
  };
}

/** A new file appears under its name only when it is whole: a process killed meanwhile leaves no short flash. */
function openOrCreate(path: string, size: number): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const draft = `${path}.${randomBytes(4).toString("hex")}.new`;
  const file = openSync(draft, "wx+");
  try {
    const erased = new Uint8Array(64 * 1024).fill(0xff);
    for (let offset = 0; offset < size; offset += erased.length) {
      writeSync(file, erased, 0, Math.min(erased.length, size - offset), offset);
    }
    fsyncSync(file);
    linkSync(draft, path); // unlike a rename, never replaces a file that another process made meanwhile
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    closeSync(file);
    unlinkSync(draft);
  }
  return openSync(path, "r+");
}

function misuse(code: string, message: string): FlashError {
  return new FlashError(
    code,
    message,
    "This is a mistake in the code that drives the flash; please report it.",
  );
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
