// Chance in a virtual world: seeded for Math.random and the radio; for keys the host's secure generator, unless a test says otherwise.

import { randomBytes } from "node:crypto";
import { seeded } from "./seeded.js";
import type { World } from "./world.js";

/** A source of random bytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** Seeded bytes; the stream differs for every purpose. Never for keys. */
export function seededBytes(seed: number, purpose: string): RandomBytes {
  const next = seeded(mix(seed, purpose));
  return (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256));
}

/** Seeded numbers in [0, 1); the stream differs for every purpose. */
export function seededNumbers(seed: number, purpose: string): () => number {
  return seeded(mix(seed, purpose));
}

/**
 * What makes keys on a virtual board: the host's secure generator. In a world marked `test` it may be seeded, or stuck at
 * zero, which a protocol must survive.
 */
export function keyBytes(world: Pick<World, "keys" | "test">, seed: number, purpose: string): RandomBytes {
  if (world.keys === "secure") return (length) => new Uint8Array(randomBytes(length));
  if (!world.test) throw new Error(`keys "${world.keys}" in a world that is not marked as test`);
  return world.keys === "stuck" ? (length) => new Uint8Array(length) : seededBytes(seed, purpose);
}

/** FNV-1a over the purpose, begun at the seed. */
function mix(seed: number, purpose: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of Buffer.from(purpose)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
