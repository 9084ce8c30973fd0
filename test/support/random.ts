// Seeded randomness for tests: the same inputs every time, and others with BROOME_SEED. Failures name the seed.

export interface Random {
  readonly seed: number;
  /** 0 to bound - 1. */
  below(bound: number): number;
  bytes(length: number): Uint8Array;
}

/** mulberry32, by Tommy Ettinger (public domain): small, and good enough to pick test inputs. */
export function seededRandom(fallback: number): Random {
  const seed = Number(process.env.BROOME_SEED ?? fallback) >>> 0;
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    seed,
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    bytes: (length) => Uint8Array.from({ length }, () => next() & 255),
  };
}
