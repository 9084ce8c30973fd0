// All parsers that are fuzzed.

import { defaults, image, otadata, partitionTable } from "./at-rest.js";
import type { Fuzz } from "./fuzz.js";
import { response, slip, telnet } from "./on-the-wire.js";
import { reservedData } from "./reserved-data.js";
import { world } from "./world.js";

export const parsers: readonly Fuzz[] = [
  slip,
  response,
  telnet,
  image,
  partitionTable,
  otadata,
  defaults,
  reservedData,
  world,
];

/** `npm run test:fuzz` runs so many of each; `npm test` a tenth. */
export const CASES = 100_000;
