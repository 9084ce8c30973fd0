// One write to flash as ROM and stub do it: begun with a size and an offset, then blocks, raw or deflated.

import { Reason, type Begin, type Block } from "../esptool/command.js";
import { SECTOR_SIZE, type NorFlash } from "./flash.js";
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
  begin: Begin;
  deflated: boolean;
  /** A ROM erases all of it first, a stub each sector just before it writes there. */
  eraseFirst: boolean;
  /** Bytes of a block at most. */
  maxBlock: number;
}

export class Download {
  private readonly flash: NorFlash;
  private readonly begin: Begin;
  private readonly inflate: Inflate | undefined;
  private readonly limit: number; // bytes that may be written
  private readonly lazy: boolean;
  private erasedTo: number;
  private written = 0;
  private next = 0; // sequence number

  /** @throws Refusal */
  constructor(options: DownloadOptions) {
    const { flash, begin, deflated, eraseFirst, maxBlock } = options;
    this.flash = flash;
    this.begin = begin;
    this.lazy = !eraseFirst;
    this.limit = deflated || this.lazy ? begin.size : begin.blocks * begin.blockSize;
    if (begin.encrypted) throw new Refusal(Reason.INVALID_PARAMETER, "flash encryption is not enabled");
    if (begin.blockSize > maxBlock)
      throw new Refusal(Reason.INVALID_PARAMETER, `blocks of ${begin.blockSize}`);
    const end = begin.offset + Math.max(begin.size, this.limit);
    // A ROM writes the padding of the last raw block too; a stub stops at the size that BEGIN gave.
    if (end > flash.size) throw new Refusal(Reason.FAILED, `end ${end} of a flash of ${flash.size}`);
    this.erasedTo = begin.offset - (begin.offset % SECTOR_SIZE);
    if (eraseFirst) this.eraseTo(begin.offset + begin.size);
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
      else this.write(this.lazy ? payload.subarray(0, this.limit - this.written) : payload);
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      throw new Refusal(error.what === "adler" ? Reason.DEFLATE_ADLER : Reason.DEFLATE, error.message);
    }
    this.next += 1;
  }

  private write(bytes: Uint8Array): void {
    if (this.written + bytes.length > this.limit)
      throw new Refusal(Reason.DEFLATE, `more than ${this.limit} bytes`);
    const offset = this.begin.offset + this.written;
    if (this.lazy) this.eraseTo(offset + bytes.length);
    this.flash.program(offset, bytes);
    this.written += bytes.length;
  }

  private eraseTo(end: number): void {
    if (this.erasedTo < end && this.begin.offset % SECTOR_SIZE !== 0 && !this.lazy) {
      throw new Refusal(Reason.FAILED, `erase at ${this.begin.offset}: not at a sector`);
    }
    while (this.erasedTo < end) {
      this.flash.erase(this.erasedTo);
      this.erasedTo += SECTOR_SIZE;
    }
  }
}
