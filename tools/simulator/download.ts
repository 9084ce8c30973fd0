// One write to flash as a ROM does it: it erases all of it first, then takes blocks in order, raw or deflated, and writes each before it
// answers.

import type { Chip } from "../chips/chip.js";
import { Reason, type Begin, type Block } from "../esptool/command.js";
import { SECTOR_SIZE, type NorFlash } from "./flash.js";
import { eraseMs, programMs } from "./flash-timing.js";
import { Inflate, InflateError } from "./inflate.js";

/** A command that is refused, with the reason that travels in the status. */
export class Refusal extends Error {
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface DownloadOptions {
  flash: NorFlash;
  chip: Chip;
  begin: Begin;
  deflated: boolean;
  /** The flash works for so long. */
  charge: (ms: number) => void;
}

const SECTORS_PER_BLOCK = 16; // of the flash's 64 KB block erase

export class Download {
  private readonly options: DownloadOptions;
  private readonly begin: Begin;
  private readonly inflate: Inflate | undefined;
  private readonly limit: number; // bytes that may be written
  private written = 0;
  private next = 0; // sequence number

  /** @throws Refusal; PowerCut of the flash */
  constructor(options: DownloadOptions) {
    this.options = options;
    const { flash, chip, begin, deflated } = options;
    this.begin = begin;
    // The padding of the last raw block is written too.
    this.limit = deflated ? begin.size : begin.blocks * begin.blockSize;
    if (begin.encrypted) throw new Refusal(Reason.INVALID_PARAMETER, "flash encryption is not enabled");
    if (begin.blockSize > chip.rom.blockSize)
      throw new Refusal(Reason.INVALID_PARAMETER, `blocks of ${begin.blockSize}`);
    const end = begin.offset + Math.max(begin.size, this.limit);
    if (end > flash.size) throw new Refusal(Reason.FAILED, `end ${end} of a flash of ${flash.size}`);
    this.erase();
    if (deflated) this.inflate = new Inflate((bytes) => this.write(bytes));
  }

  /** @throws Refusal; FlashError and PowerCut of the flash */
  block({ sequence, payload }: Block): void {
    if (sequence !== this.next) throw new Refusal(Reason.FAILED, `block ${sequence}, expected ${this.next}`);
    if (payload.length > this.begin.blockSize) throw new Refusal(Reason.INVALID_PARAMETER, "block too long");
    if (sequence >= this.begin.blocks)
      throw new Refusal(Reason.FAILED, `block ${sequence} of ${this.begin.blocks}`);
    try {
      if (this.inflate) this.inflate.push(payload);
      else this.write(payload);
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      throw new Refusal(error.what === "adler" ? Reason.DEFLATE_ADLER : Reason.DEFLATE, error.message);
    }
    this.next += 1;
  }

  private write(bytes: Uint8Array): void {
    if (this.written + bytes.length > this.limit)
      throw new Refusal(Reason.DEFLATE, `more than ${this.limit} bytes`);
    const { flash, chip, charge } = this.options;
    const offset = this.begin.offset + this.written;
    charge(programMs(chip.flash, offset, bytes.length));
    flash.program(offset, bytes);
    this.written += bytes.length;
  }

  private erase(): void {
    const { flash, chip, charge } = this.options;
    const { offset, size } = this.begin;
    if (size === 0) return;
    if (offset % SECTOR_SIZE !== 0) throw new Refusal(Reason.FAILED, `erase at ${offset}: not at a sector`);
    const sectors = Math.ceil(size / SECTOR_SIZE) + (chip.rom.eraseBug ? headSectors(offset, size) : 0);
    const end = Math.min(offset + sectors * SECTOR_SIZE, flash.size);
    charge(eraseMs(chip.flash, offset, end));
    for (let at = offset; at < end; at += SECTOR_SIZE) flash.erase(at);
  }
}

/** Of what is to be erased, the sectors before the first 64 KB boundary: the ESP8266's ROM erases so many more. */
function headSectors(offset: number, size: number): number {
  const first = offset / SECTOR_SIZE;
  return Math.min(Math.ceil(size / SECTOR_SIZE), SECTORS_PER_BLOCK - (first % SECTORS_PER_BLOCK));
}
