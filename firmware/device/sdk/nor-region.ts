// `device/flash` on the SDK's classic `flash` module: strict NOR, as the seam wants it. The chip would clear bits of what was
// not erased without a word, and the SDK's own checks of bounds differ by platform.

import type { Flash } from "../types.js";
import { bufferOf } from "./bytes.js";
import { fault } from "./fault.js";

/** The part of the `flash` module that is used: offsets and sectors count from the partition's begin. */
export interface SdkFlash {
  readonly byteLength: number;
  readonly blockSize: number;
  erase(sector: number): void;
  read(offset: number, byteLength: number): ArrayBuffer;
  write(offset: number, byteLength: number, bytes: ArrayBuffer): void;
}

export interface RegionOptions {
  /** Bytes from the partition's begin, whole sectors: 0 otherwise. */
  readonly offset?: number;
  /** Bytes; what the partition has from there on otherwise. */
  readonly size?: number;
  readonly readOnly?: boolean;
}

export class NorRegion implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  private readonly flash: SdkFlash;
  private readonly begin: number;
  private readonly readOnly: boolean;

  /** @throws `flash-too-small` where the partition ends before the region does */
  constructor(flash: SdkFlash, { offset, size, readOnly }: RegionOptions = {}) {
    this.flash = flash;
    this.sectorSize = flash.blockSize;
    this.begin = offset ?? 0;
    this.size = size ?? flash.byteLength - this.begin;
    this.readOnly = readOnly === true;
    if (this.size < 0 || this.begin + this.size > flash.byteLength)
      throw fault("flash-too-small", `${flash.byteLength} bytes, ${this.begin + this.size} are needed`);
  }

  read(offset: number, length: number): Uint8Array {
    this.check(offset, length);
    return length === 0 ? new Uint8Array(0) : new Uint8Array(this.flash.read(this.begin + offset, length));
  }

  eraseSector(index: number): void {
    this.check(index * this.sectorSize, this.sectorSize);
    this.requireWritable();
    this.flash.erase(this.begin / this.sectorSize + index);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.check(offset, bytes.length);
    this.requireWritable();
    if (bytes.length === 0) return;
    const there = new Uint8Array(this.flash.read(this.begin + offset, bytes.length));
    for (let i = 0; i < bytes.length; i += 1)
      if ((there[i]! & bytes[i]!) !== bytes[i])
        throw fault("flash-not-erased", `byte ${offset + i} is ${there[i]}, not to be made ${bytes[i]}`);
    this.flash.write(this.begin + offset, bytes.length, bufferOf(bytes));
  }

  private check(offset: number, length: number): void {
    const whole = Number.isInteger(offset) && Number.isInteger(length);
    if (!whole || offset < 0 || length < 0 || offset + length > this.size)
      throw fault("out-of-range", `${length} bytes at ${offset} of ${this.size}`);
  }

  private requireWritable(): void {
    if (this.readOnly) throw fault("read-only", "the running slot is not written");
  }
}
