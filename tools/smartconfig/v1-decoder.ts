// ESP-Touch v1, the chip's half: frame lengths in, credentials out, whatever was lost, doubled or mixed in on the way.

import { Ballot } from "./ballot.js";
import { crc8 } from "./crc8.js";
import { MAX_PASSWORD, MAX_SSID } from "./credentials.js";
import { ADDRESS_LENGTH, EXTRA_LENGTH, GUIDE_CODES, HEAD_LENGTH, SEQUENCE_MARK } from "./v1.js";

/** What headers, tags and the cipher may add to a datagram's length at most. */
export const MAX_OVERHEAD = 255; // bytes
const GUIDES_WANTED = 2;
const BSSID_LENGTH = 6;
const MAX_SEQUENCE = 127;
/** Votes that a byte must have: of its two halves, heard twice between them. */
const VOTES_WANTED = 2;

export interface V1Result {
  readonly ssid: Uint8Array;
  readonly password: Uint8Array;
  readonly bssid: Uint8Array;
  /** The sender's: where the answer goes. */
  readonly address: Uint8Array;
}

/** Listens to one sender. Memory is bounded: 128 bytes with their votes. */
export class V1Decoder {
  private readonly recent: number[] = []; // the last frames' lengths
  private guide: number | undefined;
  private guides = 0;
  private overhead: number | undefined;
  private bytes = new Map<number, Ballot<number>>();

  /** True once the guide codes were heard: the rest is a matter of time. */
  get found(): boolean {
    return this.overhead !== undefined;
  }

  /** Takes the length of one frame, as the air carries it; returns what it completed. */
  push(length: number): V1Result | undefined {
    this.recent.push(length);
    if (this.recent.length > GUIDE_CODES.length) this.recent.shift();
    this.lookForGuide();
    return this.takeHalf() ? this.complete() : undefined;
  }

  private lookForGuide(): void {
    const [first] = this.recent;
    if (this.recent.length < GUIDE_CODES.length) return;
    if (!this.recent.every((length, i) => length === first! - i)) return;
    const overhead = first! - GUIDE_CODES[0]!;
    if (overhead < 0 || overhead > MAX_OVERHEAD || overhead === this.overhead) return;
    this.guides = this.guide === overhead ? this.guides + 1 : 1;
    this.guide = overhead;
    if (this.guides < GUIDES_WANTED) return;
    this.overhead = overhead;
    this.bytes = new Map();
  }

  /**
   * A sequence number with the half before it, or the one behind it. Half a byte and half its CRC leave one byte possible.
   * Where the right half was lost, a stranger takes its place: less often than the right one comes.
   */
  private takeHalf(): boolean {
    if (this.overhead === undefined) return false;
    const [before, here] = this.recent.slice(-2).map((length) => length - this.overhead! - EXTRA_LENGTH);
    if (before === undefined || here === undefined) return false;
    if (isHalf(before) && isSequence(here)) {
      const sequence = here - SEQUENCE_MARK;
      return this.vote(
        sequence,
        completed(
          (nibble) => ((before & 0x0f) << 4) | nibble,
          sequence,
          (crc) => crc >> 4 === before >> 4,
        ),
      );
    }
    if (!isSequence(before) || !isHalf(here)) return false;
    const sequence = before - SEQUENCE_MARK;
    return this.vote(
      sequence,
      completed(
        (nibble) => (nibble << 4) | (here & 0x0f),
        sequence,
        (crc) => (crc & 0x0f) === here >> 4,
      ),
    );
  }

  private vote(sequence: number, byte: number): true {
    let ballot = this.bytes.get(sequence);
    if (!ballot) this.bytes.set(sequence, (ballot = new Ballot()));
    ballot.vote(byte);
    return true;
  }

  private byteAt(sequence: number): number | undefined {
    return this.bytes.get(sequence)?.winner(VOTES_WANTED);
  }

  /** A byte's CRC is used up for its other half: the sums over everything decide. */
  private complete(): V1Result | undefined {
    const total = this.byteAt(0) ?? 0;
    const passwordLength = this.byteAt(1) ?? 0;
    const start = HEAD_LENGTH + ADDRESS_LENGTH;
    const ssidLength = total - start - passwordLength;
    if (passwordLength > MAX_PASSWORD || ssidLength < 0 || ssidLength > MAX_SSID) return undefined;
    const all: number[] = [];
    for (let sequence = 0; sequence < total + BSSID_LENGTH; sequence++) {
      const byte = this.byteAt(sequence);
      if (byte === undefined) return undefined;
      all.push(byte);
    }
    const password = all.slice(start, start + passwordLength);
    const ssid = all.slice(start + passwordLength, total);
    const bssid = all.slice(total);
    const xor = all.slice(0, total).reduce((sum, byte) => sum ^ byte, 0); // the XOR takes itself out
    if (xor !== 0 || crc8(...ssid) !== all[2] || crc8(...bssid) !== all[3]) return undefined;
    return {
      ssid: Uint8Array.from(ssid),
      password: Uint8Array.from(password),
      bssid: Uint8Array.from(bssid),
      address: Uint8Array.from(all.slice(HEAD_LENGTH, start)),
    };
  }
}

/** The one byte of sixteen whose CRC fits. */
function completed(
  byteOf: (nibble: number) => number,
  sequence: number,
  fits: (crc: number) => boolean,
): number {
  for (let nibble = 0; nibble < 15; nibble++) if (fits(crc8(byteOf(nibble), sequence))) return byteOf(nibble);
  return byteOf(15);
}

function isHalf(value: number): boolean {
  return value >= 0 && value < SEQUENCE_MARK;
}

function isSequence(value: number): boolean {
  return value >= SEQUENCE_MARK && value <= SEQUENCE_MARK + MAX_SEQUENCE;
}
