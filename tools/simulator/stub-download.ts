// One write to flash as the stub does it: a block is acknowledged when it has come, then written; BEGIN and each compressed block
// start an erase that runs on by itself, the others come just before their bytes; what goes wrong with a block is the answer to the
// next command (esp-flasher-stub's command_handler.c).

import type { FlashChip } from "../chips/flash-chip.js";
import { StubReason, type Begin } from "../esptool/command.js";
import { Refusal } from "./download.js";
import { FlashError, SECTOR_SIZE, type NorFlash } from "./flash.js";
import { eraseMs, programMs } from "./flash-timing.js";
import { Inflate, InflateError } from "./inflate.js";

const BLOCK_SIZE = 0x10000; // of the flash's block erase
const ADLER_LENGTH = 4; // bytes that may come behind the last data

export interface StubDownloadOptions {
  flash: NorFlash;
  chip: FlashChip;
  begin: Begin;
  deflated: boolean;
  /** The stub waits for the flash so long. */
  charge: (ms: number) => void;
  /** When the stub has done what it was charged with, ms. */
  now: () => number;
}

export class StubDownload {
  private readonly options: StubDownloadOptions;
  private readonly inflate: Inflate | undefined;
  private readonly eraseEnd: number;
  private nextErase: number;
  private nextWrite: number;
  private remaining: number;
  private lastError: number | undefined;
  private flashFreeAt = 0; // ms, when the erase that was started ends

  /** @throws Refusal */
  constructor(options: StubDownloadOptions) {
    this.options = options;
    const { begin, flash, deflated } = options;
    const end = begin.offset + begin.size;
    // The real one does not look: its writes would begin again at the flash's start.
    if (end > flash.size) throw new Refusal(StubReason.FLASH, `end ${end} of a flash of ${flash.size}`);
    this.nextWrite = begin.offset;
    this.remaining = begin.size;
    this.nextErase = begin.offset - (begin.offset % SECTOR_SIZE);
    this.eraseEnd = Math.ceil(end / SECTOR_SIZE) * SECTOR_SIZE;
    if (deflated) this.inflate = new Inflate((bytes) => this.write(bytes));
    this.startErase();
  }

  /** Until the erase that was started is done, the flash answers nothing else. */
  settle(): void {
    const { charge, now } = this.options;
    charge(Math.max(0, this.flashFreeAt - now()));
  }

  /** What went wrong since the last call of `write`: refuses the next command. @throws Refusal */
  check(): void {
    if (this.lastError !== undefined) throw new Refusal(this.lastError, "the block before");
  }

  /** A block, after its acknowledgement. @throws PowerCut */
  data(payload: Uint8Array): void {
    if (this.inflate === undefined) return this.write(payload);
    if (this.remaining === 0 && payload.length > ADLER_LENGTH) this.lastError = StubReason.TOO_MUCH;
    else this.inflateBlock(this.inflate, payload);
  }

  /** @throws Refusal where data is missing, or what went wrong with the last block */
  end(): void {
    if (this.remaining > 0) throw new Refusal(StubReason.NOT_ENOUGH, `${this.remaining} bytes are missing`);
    this.check();
  }

  private inflateBlock(inflate: Inflate, payload: Uint8Array): void {
    if (this.options.now() >= this.flashFreeAt) this.startErase();
    try {
      inflate.push(payload);
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      this.lastError = StubReason.DEFLATE;
    }
  }

  /** Padding beyond the size that was announced is dropped. */
  private write(bytes: Uint8Array): void {
    const data = bytes.subarray(0, this.remaining);
    if (data.length === 0) return;
    const { flash, chip, charge } = this.options;
    this.eraseThrough(this.nextWrite + data.length);
    charge(programMs(chip, this.nextWrite, data.length));
    try {
      flash.program(this.nextWrite, data);
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      this.lastError = StubReason.FLASH;
    }
    this.nextWrite += data.length;
    this.remaining -= data.length;
  }

  /** Sectors up to the one that a write ending at `end` touches. */
  private eraseThrough(end: number): void {
    while (this.nextErase < this.eraseEnd && this.nextErase <= end) this.startErase();
    this.settle();
  }

  /** The next sector, or 64 KB at once where so much is to come. */
  private startErase(): void {
    if (this.nextErase >= this.eraseEnd) return;
    const { flash, chip, now } = this.options;
    const whole = this.nextErase % BLOCK_SIZE === 0 && this.nextErase + BLOCK_SIZE <= this.eraseEnd;
    const stop = this.nextErase + (whole ? BLOCK_SIZE : SECTOR_SIZE);
    this.flashFreeAt = Math.max(now(), this.flashFreeAt) + eraseMs(chip, this.nextErase, stop);
    for (; this.nextErase < stop; this.nextErase += SECTOR_SIZE) flash.erase(this.nextErase);
  }
}
