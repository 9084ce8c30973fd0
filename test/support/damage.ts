// One seeded fault in some bytes: for parsers that must refuse what is damaged and never do worse.

import type { Random } from "./random.js";

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}

/** A copy of `bytes` with a bit flipped, a byte at an edge value, cut, lengthened, a piece repeated, or a piece erased. */
export function damage(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(Math.max(1, bytes.length));
  switch (random.below(6)) {
    case 0:
      copy[at] = copy[at]! ^ (1 << random.below(8));
      return copy;
    case 1:
      copy[at] = pick(random, [0, 1, 0x7f, 0x80, 0xff]);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Uint8Array.from([...copy, ...random.bytes(random.below(80))]);
    case 4:
      copy.copyWithin(at, random.below(bytes.length));
      return copy;
    default:
      copy.fill(0xff, at, at + random.below(64));
      return copy;
  }
}
