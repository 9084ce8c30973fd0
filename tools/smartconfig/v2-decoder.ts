// ESP-Touch v2, the chip's half: frame lengths in, the groups of one transfer out, once all of them are whole.

import { Ballot } from "./ballot.js";
import { crc8 } from "./crc8.js";
import { MAX_OVERHEAD } from "./v1-decoder.js";
import { BIT_POSITIONS, COUNT_LENGTH, GROUP_LENGTH, MAX_GROUPS, NUMBER_LENGTH, SYNC_LENGTH } from "./v2.js";
import { type Transfer, assemble, shapeOf } from "./v2-transfer.js";

const HEAD = -1; // the group before number 0
const DATA_END = BIT_POSITIONS << 7;
const DATA_MARK = 0x40;
const BITS = 0x3f;
/** Votes that the others have, before one position is concluded from the CRC. */
const SURE = 2;

/** Listens to one sender. Memory is bounded: 64 groups of eight positions. */
export class V2Decoder {
  private readonly recent: number[] = [];
  private overhead: number | undefined;
  private count: number | undefined;
  private groups = new Map<number, Ballot<number>[]>();
  private current: number | undefined; // group whose data comes
  private position = -1; // of the last data in it

  /** True once the marks of a transfer were heard. */
  get found(): boolean {
    return this.overhead !== undefined;
  }

  /** Takes the length of one frame; returns the transfer that it completed. */
  push(length: number): Transfer | undefined {
    this.recent.push(length);
    if (this.recent.length > 3) this.recent.shift();
    this.lookForMarks();
    return this.overhead !== undefined && this.take(length - this.overhead) ? this.complete() : undefined;
  }

  /** Sync and count alternate at the beginning of each round: their distance is the count, the lower one is the sync. */
  private lookForMarks(): void {
    const [a, b, c] = this.recent as [number, number, number];
    if (this.recent.length < 3 || a !== c || a === b) return;
    const distance = Math.abs(a - b) - (COUNT_LENGTH - SYNC_LENGTH);
    const overhead = Math.min(a, b) - SYNC_LENGTH;
    if (distance < 0 || distance >= MAX_GROUPS || overhead < 0 || overhead > MAX_OVERHEAD) return;
    if (overhead === this.overhead && distance + 1 === this.count) return;
    this.overhead = overhead;
    this.count = distance + 1;
    this.groups = new Map();
  }

  /** True where this frame changed a group. */
  private take(value: number): boolean {
    if (value === SYNC_LENGTH || (value >= COUNT_LENGTH && value < COUNT_LENGTH + MAX_GROUPS))
      this.begin(HEAD);
    else if (value >= NUMBER_LENGTH && value < NUMBER_LENGTH + MAX_GROUPS) this.begin(value - NUMBER_LENGTH);
    else if (value >= 0 && value < DATA_END && (value & DATA_MARK) !== 0)
      return this.data(value >> 7, value & BITS);
    return false;
  }

  private begin(group: number): void {
    this.current = group;
    this.position = -1;
  }

  private data(position: number, bits: number): boolean {
    if (this.current === undefined || this.current >= this.count! - 1) return false;
    if (position < this.position - 1 || position === this.position) {
      // The next group has begun, and its number was lost. (One place back is two frames of which one overtook the other.)
      this.begin(this.current + 1);
      return this.data(position, bits);
    }
    this.position = Math.max(position, this.position);
    let group = this.groups.get(this.current);
    if (!group) {
      group = Array.from({ length: BIT_POSITIONS }, () => new Ballot<number>());
      this.groups.set(this.current, group);
    }
    group[position]!.vote(bits);
    return true;
  }

  private complete(): Transfer | undefined {
    const head = this.groupAt(HEAD, true);
    const shape = head && shapeOf(head);
    if (!shape || shape.groups.length !== this.count! - 1) return undefined;
    const bytes: number[] = [];
    for (const [number, wide] of shape.groups.entries()) {
      const group = this.groupAt(number, wide);
      if (!group) return undefined;
      bytes.push(...group.slice(0, wide ? GROUP_LENGTH - 1 : GROUP_LENGTH));
    }
    return assemble(shape, Uint8Array.from(bytes));
  }

  /** The bytes of a whole, sound group; one position that was never heard is filled in from the CRC, if nothing speaks against the others. */
  private groupAt(number: number, wide: boolean): number[] | undefined {
    const ballots = this.groups.get(number);
    if (!ballots) return undefined;
    const heard = ballots.map((ballot) => ballot.winner(1));
    const missing = heard.indexOf(undefined);
    if (missing < 0) return soundGroup(heard as number[], wide);
    if (
      number === HEAD ||
      !ballots.every((ballot, i) => i === missing || (ballot.unanimous && ballot.winner(SURE) !== undefined))
    )
      return undefined;
    const fillings = Array.from({ length: BITS + 1 }, (_, bits) =>
      heard.map((value, i) => (i === missing ? bits : value)),
    );
    const sound = fillings
      .map((filling) => soundGroup(filling as number[], wide))
      .filter((group) => group !== undefined);
    return sound.length === 1 ? sound[0] : undefined;
  }
}

/** Six bytes out of what the positions carry; undefined where their CRC is wrong. */
function soundGroup(positions: readonly number[], wide: boolean): number[] | undefined {
  const bits = wide ? positions : positions.slice(0, -1);
  const bytes = Array.from({ length: GROUP_LENGTH }, (_, i) =>
    bits.reduce((byte, value, at) => byte | (((value >> (GROUP_LENGTH - 1 - i)) & 1) << at), 0),
  );
  const sound = wide
    ? crc8(...bytes.slice(0, -1)) === bytes.at(-1)
    : (crc8(...bytes) & BITS) === positions.at(-1);
  return sound ? bytes : undefined;
}
