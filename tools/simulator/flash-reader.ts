// The stub's READ_FLASH: packets of flash, so many ahead of what the client acknowledged, and an MD5 at the end.

import { createHash } from "node:crypto";
import { decodeWords, MAX_BLOCK, Reason } from "../esptool/command.js";
import { Refusal } from "./download.js";
import type { NorFlash } from "./flash.js";

const MAX_AHEAD = 64; // packets

export class FlashReader {
  private readonly flash: NorFlash;
  private readonly send: (packet: Uint8Array) => void;
  private readonly md5 = createHash("md5");
  private readonly offset: number;
  private readonly size: number;
  private readonly packetSize: number;
  private readonly ahead: number; // packets
  private sent = 0; // bytes
  private finished = false;

  /** `data` are the command's words: offset, size, packet size, packets ahead. @throws Refusal */
  constructor(flash: NorFlash, data: Uint8Array, send: (packet: Uint8Array) => void) {
    const [offset, size, packetSize, ahead] = decodeWords(data, 4) as [number, number, number, number];
    if (offset + size > flash.size) throw new Refusal(Reason.FLASH_READ_LENGTH, "beyond the flash");
    if (packetSize < 1 || packetSize > MAX_BLOCK || ahead < 1)
      throw new Refusal(Reason.INVALID_PARAMETER, "packets");
    this.flash = flash;
    this.send = send;
    this.offset = offset;
    this.size = size;
    this.packetSize = packetSize;
    this.ahead = Math.min(ahead, MAX_AHEAD);
  }

  get done(): boolean {
    return this.finished;
  }

  /** `acknowledged`: bytes that the client says it has. */
  advance(acknowledged: number): void {
    while (this.sent < this.size && this.sent - acknowledged < this.ahead * this.packetSize) {
      const bytes = this.flash.read(
        this.offset + this.sent,
        Math.min(this.packetSize, this.size - this.sent),
      );
      this.md5.update(bytes);
      this.sent += bytes.length;
      this.send(bytes);
    }
    if (this.finished || acknowledged < this.size) return;
    this.finished = true;
    this.send(new Uint8Array(this.md5.digest()));
  }
}
