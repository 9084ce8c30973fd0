// Which sectors of a board's flash differ from what should lie there: its MD5s are compared, in a tree that narrows to sectors.

import type { Codecs } from "./codecs.js";
import type { Loader } from "./loader.js";
import { isBlank, partOf, SECTOR_SIZE, type Region } from "./regions.js";

/** Bytes of the ranges that are compared first; then the sectors of those that differ. */
const COARSE = 64 * 1024;
/** The same for regions up to `SMALL`: few questions either way, and less to hash again. */
const FINE = 16 * 1024;
const SMALL = 256 * 1024;

export interface CompareOptions {
  loader: Loader;
  codecs: Pick<Codecs, "md5">;
  /** Compare each region as a whole first: it is thought to be right. */
  expectSame?: boolean;
  /** How long the board may still be at work on what it was sent before. */
  busyMs?: number;
}

/** A stretch of a region; `from` and `to` count in it. */
interface Part {
  readonly region: Region;
  readonly from: number;
  readonly to: number;
}

/** The stretches that differ, in whole sectors (the last of a region may be shorter), neighbours as one. */
export async function differing(regions: readonly Region[], options: CompareOptions): Promise<Region[]> {
  const comparison = new Comparison(options);
  let parts = regions.filter(({ data }) => data.length > 0).map(whole);
  if (options.expectSame) parts = await comparison.suspects(parts);
  parts = await comparison.suspects(parts.flatMap((part) => cut(part, firstSize(part.region))));
  parts = await comparison.suspects(parts.flatMap((part) => cut(part, SECTOR_SIZE)));
  return joined([...parts, ...comparison.onBlank]);
}

class Comparison {
  /** Sectors that differ because flash is blank there: known without asking further. */
  readonly onBlank: Part[] = [];
  private readonly options: CompareOptions;
  private readonly asked = new Set<Part>();
  private readonly blankDigests = new Map<number, string>();
  private busyMs: number;

  constructor(options: CompareOptions) {
    this.options = options;
    this.busyMs = options.busyMs ?? 0;
  }

  /** Those of the parts that differ and have to be looked at more closely. */
  async suspects(parts: readonly Part[]): Promise<Part[]> {
    const fresh = parts.filter((part) => !this.asked.has(part));
    const ranges = fresh.map(({ region, from, to }) => ({ offset: region.offset + from, size: to - from }));
    const digests = fresh.length > 0 ? await this.options.loader.md5All(ranges, this.busyMs) : [];
    this.busyMs = 0;
    const settled = new Set<Part>();
    for (const [index, part] of fresh.entries()) {
      this.asked.add(part);
      if (await this.isSettled(part, digests[index]!)) settled.add(part);
    }
    return parts.filter((part) => !settled.has(part));
  }

  private async isSettled(part: Part, digest: string): Promise<boolean> {
    const { md5 } = this.options.codecs;
    if (digest === (await md5(bytesOf(part)))) return true;
    if (digest !== (await this.blankDigest(part.to - part.from))) return false;
    this.onBlank.push(...cut(part, SECTOR_SIZE).filter((sector) => !isBlank(bytesOf(sector))));
    return true;
  }

  private async blankDigest(size: number): Promise<string> {
    const known = this.blankDigests.get(size);
    if (known !== undefined) return known;
    const digest = await this.options.codecs.md5(new Uint8Array(size).fill(0xff));
    this.blankDigests.set(size, digest);
    return digest;
  }
}

function firstSize(region: Region): number {
  return region.data.length <= SMALL ? FINE : COARSE;
}

function whole(region: Region): Part {
  return { region, from: 0, to: region.data.length };
}

/** Pieces of at most `size` bytes; what is no larger stays the part that it is. */
function cut(part: Part, size: number): Part[] {
  if (part.to - part.from <= size) return [part];
  const pieces: Part[] = [];
  for (let from = part.from; from < part.to; from += size)
    pieces.push({ region: part.region, from, to: Math.min(from + size, part.to) });
  return pieces;
}

function bytesOf({ region, from, to }: Part): Uint8Array {
  return region.data.subarray(from, to);
}

function joined(parts: readonly Part[]): Region[] {
  const sorted = [...parts].sort((a, b) => a.region.offset + a.from - (b.region.offset + b.from));
  const runs: Part[] = [];
  for (const part of sorted) {
    const last = runs.at(-1);
    if (last?.region === part.region && last.to === part.from)
      runs[runs.length - 1] = { ...last, to: part.to };
    else runs.push(part);
  }
  return runs.map(({ region, from, to }) => partOf(region, from, to));
}
