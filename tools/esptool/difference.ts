// Which sectors of a board's flash differ from what should lie there: its MD5s are compared, in a tree that narrows to sectors.

import { BLOCK_HEADER_SIZE, BLOCK_SIZE, findMarkers } from "../../firmware/format/defaults-block.js";
import type { Codecs } from "./codecs.js";
import type { Loader } from "./loader.js";
import { isBlank, partOf, SECTOR_SIZE, type Region } from "./regions.js";

/** Bytes of the ranges that are compared first. */
const COARSE = 64 * 1024;
/** Of those that a differing one is cut into, before its sectors are asked for; and of the first ones of regions up to `SMALL`. */
const FINE = 16 * 1024;
const SMALL = 256 * 1024;
/** Where so many ranges of a region differ, most of their parts do too: straight to the sectors. */
const MANY = 4;

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
  parts = await comparison.suspects(parts.flatMap(firstCut));
  if (parts.length < MANY) parts = await comparison.suspects(parts.flatMap((part) => cut(part, FINE)));
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
    const asked = fresh.length > 0 ? this.options.loader.md5All(ranges, this.busyMs) : Promise.resolve([]);
    const [found, wanted] = await Promise.all([asked, this.digests(fresh)]);
    this.busyMs = 0;
    const settled = new Set<Part>();
    for (const [index, part] of fresh.entries()) {
      this.asked.add(part);
      if (found[index] === wanted[index] || (await this.isBlankThere(part, found[index]!))) settled.add(part);
    }
    return parts.filter((part) => !settled.has(part));
  }

  /** What the parts should have; computed while the board computes what they have. */
  private async digests(parts: readonly Part[]): Promise<string[]> {
    const digests: string[] = [];
    let hashed = 0;
    for (const part of parts) {
      digests.push(await this.options.codecs.md5(bytesOf(part)));
      hashed += part.to - part.from;
      if (hashed < COARSE) continue;
      hashed = 0;
      await new Promise((resolve) => setTimeout(resolve, 0)); // for the next question to leave
    }
    return digests;
  }

  private async isBlankThere(part: Part, digest: string): Promise<boolean> {
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

/** The sectors that are likely to differ by themselves, what lies between them in ranges. */
function firstCut(part: Part): Part[] {
  const { region } = part;
  const size = region.data.length <= SMALL ? FINE : COARSE;
  const parts: Part[] = [];
  let from = part.from;
  for (const at of likelySectors(region).filter((sector) => sector >= part.from && sector < part.to)) {
    const to = Math.min(at + SECTOR_SIZE, part.to);
    if (at > from) parts.push(...cut({ region, from, to: at }, size));
    parts.push({ region, from: at, to });
    from = to;
  }
  if (from < part.to) parts.push(...cut({ region, from, to: part.to }, size));
  return parts;
}

/** What `broome patch` changes: the block of settings, and an image's checksum and digest at its end. */
function likelySectors({ data }: Region): number[] {
  const ends = findMarkers(data).flatMap((at) => [at, at + BLOCK_HEADER_SIZE, at + BLOCK_SIZE - 1]);
  const sectors = [...ends, data.length - 1]
    .filter((at) => at < data.length)
    .map((at) => at - (at % SECTOR_SIZE));
  return [...new Set(sectors)].sort((a, b) => a - b);
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
