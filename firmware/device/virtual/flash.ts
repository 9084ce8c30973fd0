// `device/flash` of the virtual platform: strict NOR in the board's flash file.

import type { Flash, OpenFlash } from "../types.js";
import { board, call } from "./bus.js";

class Region implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  private readonly handle: number;

  constructor([handle, size, sectorSize]: number[]) {
    this.handle = handle!;
    this.size = size!;
    this.sectorSize = sectorSize!;
  }

  read(offset: number, length: number): Uint8Array {
    // The deepest call there is: a level less keeps every path to the store within the stack.
    return new Uint8Array(board().bus("flash.read", this.handle, offset, length) as ArrayBuffer);
  }

  eraseSector(index: number): void {
    call("flash.erase", this.handle, index);
  }

  write(offset: number, bytes: Uint8Array): void {
    board().bus("flash.write", this.handle, offset, bytes);
  }
}

const open: OpenFlash = (region) => new Region(call("flash.open", region) as number[]);

export default open;
