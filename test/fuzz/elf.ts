// Fuzz of linked programs (ELF): damaged ones are refused, or name functions that lie where they say.

import { Functions } from "../../tools/elf/functions.js";
import { damage, pick } from "../support/damage.js";
import { elfFile } from "../support/elf-file.js";
import type { Random } from "../support/random.js";
import { accepted, hasCode, must, type Fuzz } from "./fuzz.js";

const TEXT = 0x40100000;
const IROM = 0x42000020;

function program(random: Random): Uint8Array {
  const code = (address: number, bytes: Uint8Array) => ({ name: ".text", flags: 6, address, bytes });
  const sections = [code(TEXT, random.bytes(64)), code(IROM, random.bytes(random.below(200)))];
  const symbols = Array.from({ length: random.below(12) }, (_, i) => ({
    name: `function_${i}`,
    value: pick(random, [TEXT, IROM]) + random.below(80),
    size: pick(random, [0, 4, random.below(100), 0xffffffff]),
    type: pick(random, [0, 1, 2, 2, 2]),
  }));
  return elfFile(sections, symbols, pick(random, [94, 243, 40]));
}

export const elf: Fuzz = {
  name: "ELF",
  try(random) {
    let bytes = program(random);
    for (let times = random.below(4); times > 0; times -= 1) bytes = damage(random, bytes);
    const functions = accepted(() => new Functions(bytes), hasCode("elf-unreadable"));
    if (functions === undefined) return;
    for (let i = 0; i < 8; i += 1) {
      const base = pick(random, [TEXT, IROM, 0, 0xffffff00]);
      const address = base + random.below(256);
      const place = functions.at(address);
      must(place === undefined || place.offset >= 0, "an address before its function");
      must(place === undefined || place.name.length <= 255, "a name without end");
      must(
        place === undefined || functions.at(address - place.offset)?.offset === 0,
        "a function without a start",
      );
      must(!functions.isBehindCall(address) || place !== undefined, "a way back into nothing");
    }
  },
};
