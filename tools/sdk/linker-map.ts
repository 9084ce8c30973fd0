// Which memories the linker had to fill, from its map file (GNU ld, `-Map`, "Memory Configuration"). Pure.

import { BroomeError } from "../error.js";

export interface Memory {
  readonly name: string; // "iram0_0_seg"
  readonly origin: number;
  readonly length: number; // bytes
}

const TITLE = "\nMemory Configuration\n";
const END = "\nLinker script and memory map\n";
const MAX_TABLE = 1 << 16; // characters
const ROW = /^([\w.]+) +0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16})(?: |$)/gm;

/** `map` is the whole file, some megabytes: long lists are in front of the table. Throws `elf-unreadable`. */
export function memoriesOf(map: string): Memory[] {
  const from = map.indexOf(TITLE);
  const to = map.indexOf(END, from);
  if (from < 0 || to < 0 || to - from > MAX_TABLE)
    throw new BroomeError("elf-unreadable", "the linker's map has no memory configuration", "Build again.");
  return [...map.slice(from, to).matchAll(ROW)].map(([, name, origin, length]) => ({
    name: name!,
    origin: parseInt(origin!, 16),
    length: parseInt(length!, 16),
  }));
}
