// How long to wait after failures.

/** Doubles from `firstMs` to `mostMs`, with up to a quarter of jitter: a fleet that lost its server must not come back at once. */
export function backoffMs(failures: number, firstMs: number, mostMs: number): number {
  const plain = Math.min(mostMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), 16));
  return Math.round(plain * (0.75 + Math.random() / 4));
}
