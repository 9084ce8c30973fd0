// All parsers that are fuzzed.

import { defaults, image, otadata, partitionTable } from "./at-rest.js";
import { crash } from "./crash.js";
import { elf } from "./elf.js";
import type { Fuzz } from "./fuzz.js";
import { touchV1, touchV2 } from "./on-the-air.js";
import { response, slip, telnet } from "./on-the-wire.js";
import { reservedData } from "./reserved-data.js";
import { world } from "./world.js";

export const parsers: readonly Fuzz[] = [
  slip,
  response,
  telnet,
  touchV1,
  touchV2,
  image,
  partitionTable,
  otadata,
  defaults,
  reservedData,
  world,
  elf,
  crash,
];

/** `npm run test:fuzz` runs so many of each; `npm test` a tenth. */
export const CASES = 100_000;
