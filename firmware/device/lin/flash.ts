// `device/flash` of a Linux process: strict NOR in a file. There is the data region alone.

import type { Flash, OpenFlash } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const SECTOR_SIZE = 4096; // bytes

function fault(code: string, why: string): Error {
  return Object.assign(new Error(`${code}: ${why}`), { code });
}

class Region implements Flash {
  readonly size = native("xs_broome_flash_size").call(undefined) as number;
  readonly sectorSize = SECTOR_SIZE;

  read(offset: number, length: number): Uint8Array {
    return new Uint8Array(native("xs_broome_flash_read").call(undefined, offset, length) as ArrayBuffer);
  }

  eraseSector(index: number): void {
    native("xs_broome_flash_erase").call(undefined, index);
  }

  write(offset: number, bytes: Uint8Array): void {
    const refused = native("xs_broome_flash_write").call(undefined, offset, bytes) as number;
    if (refused > 0) throw fault("flash-not-erased", `${refused} of ${bytes.length} bytes at ${offset}`);
  }
}

const open: OpenFlash = (region) => {
  if (region !== "broome") throw fault("ota-not-supported", `there is no region "${region}"`);
  return new Region();
};

export default open;
