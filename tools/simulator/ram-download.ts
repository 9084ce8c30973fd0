// MEM_BEGIN, MEM_DATA, MEM_END: a program loaded into RAM, block by block, and its start.

import type { Span } from "../chips/chip.js";
import type { Begin, Block } from "../esptool/command.js";
import { Reason } from "../esptool/command.js";
import { Refusal } from "./download.js";

const MAX_RAM_BLOCK = 0x1800; // bytes
const MAX_LOADED = 16; // stretches remembered

export class RamDownload {
  private readonly ram: readonly Span[];
  private current: { begin: Begin; next: number } | undefined;
  private loaded: Span[] = [];

  constructor(ram: readonly Span[]) {
    this.ram = ram;
  }

  /** @throws Refusal */
  begin(begin: Begin): void {
    const end = begin.offset + begin.size;
    if (!this.ram.some(({ start, end: top }) => begin.offset >= start && end <= top))
      throw new Refusal(Reason.RAM_ADDRESS, `RAM at ${begin.offset}`);
    if (begin.blockSize > MAX_RAM_BLOCK || begin.blocks * begin.blockSize < begin.size)
      throw new Refusal(Reason.RAM_SIZE, `${begin.blocks} blocks of ${begin.blockSize}`);
    this.current = { begin, next: 0 };
  }

  /** @throws Refusal */
  block({ sequence, payload }: Block): void {
    const { current } = this;
    if (!current || sequence !== current.next || sequence >= current.begin.blocks)
      throw new Refusal(Reason.FAILED, `RAM block ${sequence}`);
    if (payload.length > current.begin.blockSize) throw new Refusal(Reason.RAM_SIZE, "block too long");
    current.next += 1;
    if (current.next < current.begin.blocks) return;
    const { offset, size } = current.begin;
    this.loaded = [...this.loaded, { start: offset, end: offset + size }].slice(-MAX_LOADED);
    this.current = undefined;
  }

  /** @throws Refusal where nothing was loaded at `entry` */
  checkEntry(entry: number): void {
    if (!this.loaded.some(({ start, end }) => entry >= start && entry < end))
      throw new Refusal(Reason.RAM_ADDRESS, `nothing was loaded at ${entry}`);
  }
}
