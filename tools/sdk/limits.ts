// What an image takes of a chip, and where it does not fit.

import type { Chip } from "../chips/chip.js";
import { slotBytes } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import type { Section } from "../elf/elf.js";
import type { Memory } from "./linker-map.js";

export interface Amount {
  readonly used: number; // bytes
  readonly max: number;
}

export interface Limits {
  /** Bytes of a slot, and what an update to this image takes of it; where the chip can be updated. */
  readonly slot?: number;
  readonly update?: number;
  /** Code that runs from flash. */
  readonly irom?: Amount;
  /** Code in RAM. */
  readonly iram?: Amount;
  /** Static data: what is left of it is for the stack and the radio's heap. */
  readonly dram?: Amount;
}

/** Of the ESP8266, from the SDK's linker script (eagle.flash.4m.ld): what each kind of memory has. */
const ESP8266 = { irom: 0xfeff0, iram: 0x8000, dram: 0x14000 };

/** Of the linked program. `-p esp` leaves the arena of XS in `.bss`: static RAM is all that the program will ever take for it. */
export function esp8266Limits(sections: readonly Section[]): Limits {
  const sum = (names: readonly string[]) =>
    sections.filter(({ name }) => names.includes(name)).reduce((total, { size }) => total + size, 0);
  return {
    irom: { used: sum([".irom0.text"]), max: ESP8266.irom },
    iram: { used: sum([".text"]), max: ESP8266.iram },
    dram: { used: sum([".data", ".rodata", ".bss"]), max: ESP8266.dram },
  };
}

/** Of an app image of the ESP32 family, in a slot of `chip`. */
export function slotLimits(chip: Chip, imageSize: number): Limits {
  return { slot: chip.layout.ota_0.size, update: slotBytes(imageSize) };
}

/** What ESP-IDF's linker scripts (esp_system/ld/CHIP/memory.ld.in) call the memories of the ESP32 family. */
const ESP32_MEMORIES = { irom: "iram0_2_seg", iram: "iram0_0_seg", dram: "dram0_0_seg" };

/**
 * Of the linked program, in the memories that its linker was told of. Where code and data share RAM (ESP32-C3), `dram` counts the code
 * too, as the linker script does (`.dram0.dummy`); what is left of it becomes the heap.
 */
export function memoryLimits(sections: readonly Section[], memories: readonly Memory[]): Limits {
  const amounts = Object.entries(ESP32_MEMORIES).flatMap(([kind, wanted]) => {
    const memory = memories.find(({ name }) => name === wanted);
    return memory ? [[kind, amountIn(memory, sections)] as const] : [];
  });
  return Object.fromEntries(amounts);
}

/** Up to the end of the last section: what lies between two is taken as well. */
function amountIn({ origin, length }: Memory, sections: readonly Section[]): Amount {
  const ends = sections
    .filter(({ address }) => address >= origin && address < origin + length)
    .map(({ address, size }) => address + size - origin);
  return { used: Math.max(0, ...ends), max: length };
}

/** Throws `app-too-big`, naming what is too small and by how much. */
export function checkLimits(chip: string, limits: Limits): void {
  const { slot, update } = limits;
  if (slot !== undefined && update !== undefined && update > slot)
    throw tooBig(chip, `${update} bytes with its update list; a slot has ${slot}`);
  for (const [name, amount] of Object.entries({ irom: limits.irom, iram: limits.iram, dram: limits.dram }))
    if (amount && amount.used > amount.max)
      throw tooBig(chip, `${amount.used} bytes of ${name}; there are ${amount.max}`);
}

/**
 * From the words of the linker, which stops before there is a program to measure (by how much it is too big may follow where), or of
 * ESP-IDF's check_sizes.py, which fails the build of an image that no slot holds.
 */
export function overflowOf(chip: string, output: string): BroomeError | undefined {
  const by = /region [`']([^']+)' overflowed by (\d+) bytes/.exec(output);
  if (by) return tooBig(chip, `${by[2]} bytes more than ${by[1]} has`);
  const where = /section [`']([^']+)' will not fit in region [`']([^']+)'/.exec(output);
  if (where) return tooBig(chip, `more than ${where[2]} has (section ${where[1]})`);
  const slot = /too small for binary \S+ size 0x([0-9a-f]+):\s+- .* size 0x([0-9a-f]+) \(overflow/.exec(
    output,
  );
  if (!slot) return undefined;
  const [size, room] = [slot[1]!, slot[2]!].map((digits) => parseInt(digits, 16));
  return tooBig(chip, `${size} bytes; a slot has ${room}`);
}

function tooBig(chip: string, what: string): BroomeError {
  return new BroomeError(
    "app-too-big",
    `the program takes ${what}: it does not fit the ${chip}`,
    "Take modules or resources out of the firmware, or choose a chip with more.",
  );
}
