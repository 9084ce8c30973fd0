// Regions of flash by name, as the program sees them: its data, the other slot, and its own slot, read-only.

import { BusError, type Value } from "../engine/engine.js";
import type { Region } from "../chips/chip.js";
import { SECTOR_SIZE, type NorFlash } from "./flash.js";

export type RegionName = "broome" | "other" | "running";

const names: readonly RegionName[] = ["broome", "other", "running"];

export class Regions {
  private readonly flash: NorFlash;
  private readonly regions: Readonly<Record<RegionName, Region | undefined>>;

  constructor(flash: NorFlash, regions: Record<RegionName, Region | undefined>) {
    this.flash = flash;
    this.regions = regions;
  }

  /** Handle, size and sector size. @throws BusError `not-found` */
  open(name: string): Value[] {
    const handle = names.indexOf(name as RegionName);
    const region = handle < 0 ? undefined : this.regions[names[handle]!];
    if (region === undefined) throw new BusError("not-found", `flash has no region "${name}"`);
    return [handle, region.size, SECTOR_SIZE];
  }

  read(handle: number, offset: number, length: number): Uint8Array {
    return this.flash.read(this.place(handle, offset, length), length);
  }

  erase(handle: number, index: number): void {
    this.writable(handle);
    this.flash.erase(this.place(handle, index * SECTOR_SIZE, SECTOR_SIZE));
  }

  /** @throws BusError `read-only`, `out-of-range`; FlashError `flash-not-erased` */
  write(handle: number, offset: number, bytes: Uint8Array): void {
    this.writable(handle);
    this.flash.program(this.place(handle, offset, bytes.length), bytes);
  }

  private writable(handle: number): void {
    if (names[handle] === "running") throw new BusError("read-only", "the running slot is read-only");
  }

  private place(handle: number, offset: number, length: number): number {
    const name = names[handle];
    const region = name === undefined ? undefined : this.regions[name];
    if (region === undefined) throw new BusError("closed", `no open region has handle ${handle}`);
    if (offset + length > region.size)
      throw new BusError("out-of-range", `${length} bytes at ${offset} of ${name}, which has ${region.size}`);
    return region.offset + offset;
  }
}
