// Seeded randomness for tests (mulberry32): the seed stands in the assertion's message, so that a failure can be repeated.

export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** A u32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 to n - 1. */
  below(n: number): number {
    return this.next() % n;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** A copy of `bytes` with one fault: a bit flipped, a byte set to an edge value, cut, lengthened, a piece repeated. */
export function damage(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(Math.max(1, bytes.length));
  switch (random.below(6)) {
    case 0:
      copy[at] = copy[at]! ^ (1 << random.below(8));
      return copy;
    case 1:
      copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
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
