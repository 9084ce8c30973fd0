// Inflates a zlib stream as it comes, block by block (RFC 1950, RFC 1951): what the ROM does with compressed writes.

const WINDOW = 32768; // bytes; the farthest a copy reaches back
const MAX_CODE_LENGTH = 15; // bits
const MAX_SYMBOL_BITS = 48; // a length code, its extra bits, a distance code, its extra bits

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/** Order in which a dynamic block tells the lengths of its code length codes (RFC 1951, 3.2.7). */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The stream is no zlib stream (`what` "data"), or its Adler-32 is wrong ("adler"). */
export class InflateError extends Error {
  readonly what: "data" | "adler";

  constructor(what: "data" | "adler", message: string) {
    super(message);
    this.what = what;
  }
}

/** Thrown inside when the input ends within a symbol; the position is put back to the symbol's start. */
const MORE = Symbol("more input is needed");

interface Huffman {
  /** How many codes there are of each length. */
  readonly counts: Uint16Array;
  /** Symbols in order of their codes. */
  readonly symbols: Uint16Array;
}

type Stage = "header" | "block" | "stored" | "codes" | "trailer" | "end";

/**
 * One stream. `sink` gets the output in pieces of at most 32 KB, valid until it returns, as far as the input that was
 * pushed allows; what it throws ends the push. What follows the end of the stream is ignored.
 */
export class Inflate {
  private readonly sink: (bytes: Uint8Array) => void;
  private stage: Stage = "header";
  private input = new Uint8Array(0);
  private bit = 0; // position in the input, in bits
  private readonly window = new Uint8Array(WINDOW);
  private at = 0; // where the next output byte goes
  private flushed = 0; // start of what the sink has not got
  private produced = 0; // bytes in all, up to a window's worth
  private last = false;
  private stored = 0; // bytes left of a stored block
  private lengths: Huffman = fixedLengths;
  private distances: Huffman = fixedDistances;
  private adlerA = 1;
  private adlerB = 0;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.sink = sink;
  }

  get ended(): boolean {
    return this.stage === "end";
  }

  /** @throws InflateError, and what the sink throws */
  push(bytes: Uint8Array): void {
    const rest = this.input.subarray(this.bit >> 3);
    this.bit &= 7;
    this.input = new Uint8Array(rest.length + bytes.length);
    this.input.set(rest);
    this.input.set(bytes, rest.length);
    while (this.stage !== "end" && this.step()) continue;
    this.flush();
  }

  /** False when the input does not reach for the next step. */
  private step(): boolean {
    const start = this.bit;
    try {
      this.advance();
      return true;
    } catch (error) {
      if (error !== MORE) throw error;
      if (this.stage !== "stored") this.bit = start;
      return false;
    }
  }

  private advance(): void {
    switch (this.stage) {
      case "header":
        return this.header();
      case "block":
        return this.block();
      case "stored":
        return this.copyStored();
      case "codes":
        return this.codes();
      case "trailer":
        return this.trailer();
    }
  }

  private header(): void {
    const method = this.bits(8);
    const flags = this.bits(8);
    if ((method & 0x0f) !== 8 || method >> 4 > 7 || ((method << 8) | flags) % 31 !== 0) {
      throw new InflateError("data", "no zlib header");
    }
    if (flags & 0x20) throw new InflateError("data", "a preset dictionary");
    this.stage = "block";
  }

  private block(): void {
    const last = this.bits(1) === 1;
    const type = this.bits(2);
    if (type === 0) this.beginStored();
    else if (type === 1) [this.lengths, this.distances] = [fixedLengths, fixedDistances];
    else if (type === 2) this.readTables();
    else throw new InflateError("data", "a block of type 3");
    this.last = last; // only now: until here more input may be needed
    this.stage = type === 0 ? "stored" : "codes";
  }

  private beginStored(): void {
    this.alignToByte();
    const length = this.bits(16);
    if ((this.bits(16) ^ 0xffff) !== length)
      throw new InflateError("data", "a stored block's length is damaged");
    this.stored = length;
  }

  private copyStored(): void {
    while (this.stored > 0) {
      this.put(this.bits(8));
      this.stored -= 1;
    }
    this.endBlock();
  }

  private readTables(): void {
    const lengthCount = this.bits(5) + 257;
    const distanceCount = this.bits(5) + 1;
    const orderCount = this.bits(4) + 4;
    if (lengthCount > 286 || distanceCount > 30) throw new InflateError("data", "too many codes");
    const ofLengths = new Uint8Array(19);
    for (let i = 0; i < orderCount; i += 1) ofLengths[LENGTH_ORDER[i]!] = this.bits(3);
    const lengths = this.readLengths(huffman(ofLengths, "whole"), lengthCount + distanceCount);
    if (lengths[256] === 0) throw new InflateError("data", "no code ends the block");
    const literal = huffman(lengths.subarray(0, lengthCount), "may be a single code");
    this.distances = huffman(lengths.subarray(lengthCount), "may be a single code");
    this.lengths = literal;
  }

  private readLengths(code: Huffman, count: number): Uint8Array {
    const lengths = new Uint8Array(count);
    for (let i = 0; i < count;) {
      const symbol = this.symbol(code);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw new InflateError("data", "a repeat of nothing");
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const times = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
      if (i + times > count) throw new InflateError("data", "a repeat beyond the codes");
      lengths.fill(value, i, i + times);
      i += times;
    }
    return lengths;
  }

  /** As many symbols as the input surely holds; then one at a time, which may run out. */
  private codes(): void {
    const sure = this.input.length * 8 - MAX_SYMBOL_BITS;
    do {
      if (!this.code()) return this.endBlock();
    } while (this.bit <= sure);
  }

  /** A literal or a copy; false at the end of the block. */
  private code(): boolean {
    const symbol = this.symbol(this.lengths);
    if (symbol === 256) return false;
    if (symbol < 256) {
      this.put(symbol);
      return true;
    }
    if (symbol > 285) throw new InflateError("data", `length code ${symbol}`);
    const length = LENGTH_BASE[symbol - 257]! + this.bits(LENGTH_EXTRA[symbol - 257]!);
    const distanceCode = this.symbol(this.distances);
    if (distanceCode > 29) throw new InflateError("data", `distance code ${distanceCode}`);
    const distance = DISTANCE_BASE[distanceCode]! + this.bits(DISTANCE_EXTRA[distanceCode]!);
    if (distance > this.produced) throw new InflateError("data", `a copy from ${distance} bytes back`);
    for (let i = 0; i < length; i += 1) this.put(this.window[(this.at - distance) & (WINDOW - 1)]!);
    return true;
  }

  private endBlock(): void {
    this.stage = this.last ? "trailer" : "block";
  }

  private trailer(): void {
    this.alignToByte();
    const b = (this.bits(8) << 8) | this.bits(8);
    const a = (this.bits(8) << 8) | this.bits(8);
    this.flush();
    if (a !== this.adlerA || b !== this.adlerB) throw new InflateError("adler", "the Adler-32 is wrong");
    this.stage = "end";
  }

  private put(byte: number): void {
    this.window[this.at] = byte;
    this.at += 1;
    if (this.produced < WINDOW) this.produced += 1;
    if (this.at === WINDOW) {
      this.flush();
      this.at = this.flushed = 0;
    }
  }

  private flush(): void {
    if (this.at === this.flushed) return;
    const bytes = this.window.subarray(this.flushed, this.at);
    this.flushed = this.at;
    for (const byte of bytes) {
      this.adlerA = (this.adlerA + byte) % 65521;
      this.adlerB = (this.adlerB + this.adlerA) % 65521;
    }
    this.sink(bytes);
  }

  private alignToByte(): void {
    this.bit = (this.bit + 7) & ~7;
  }

  private bits(count: number): number {
    if (this.bit + count > this.input.length * 8) throw MORE;
    let value = 0;
    for (let i = 0; i < count; i += 1, this.bit += 1) {
      value |= ((this.input[this.bit >> 3]! >> (this.bit & 7)) & 1) << i;
    }
    return value;
  }

  /** Canonical codes: those of one length are consecutive numbers, read from their top bit. */
  private symbol({ counts, symbols }: Huffman): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_CODE_LENGTH; length += 1) {
      code |= this.bits(1);
      const count = counts[length]!;
      if (code - first < count) return symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new InflateError("data", "a code that was not defined");
  }
}

function huffman(lengths: Uint8Array, completeness: "whole" | "may be a single code"): Huffman {
  const counts = new Uint16Array(MAX_CODE_LENGTH + 1);
  for (const length of lengths) if (length > 0) counts[length]! += 1;
  let left = 1;
  for (let length = 1; length <= MAX_CODE_LENGTH; length += 1) {
    left = (left << 1) - counts[length]!;
    if (left < 0) throw new InflateError("data", "more codes than fit");
  }
  const used = counts.reduce((sum, count) => sum + count, 0);
  if (left > 0 && (completeness === "whole" || used > 1))
    throw new InflateError("data", "an incomplete code");
  const offsets = new Uint16Array(MAX_CODE_LENGTH + 2);
  for (let length = 1; length <= MAX_CODE_LENGTH; length += 1)
    offsets[length + 1] = offsets[length]! + counts[length]!;
  const symbols = new Uint16Array(used);
  lengths.forEach((length, symbol) => {
    if (length > 0) symbols[offsets[length]!++] = symbol;
  });
  return { counts, symbols };
}

/** The code of blocks of type 1 (RFC 1951, 3.2.6). */
const fixedLengths = huffman(
  Uint8Array.from({ length: 288 }, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
  "whole",
);
const fixedDistances = huffman(new Uint8Array(32).fill(5), "whole");
