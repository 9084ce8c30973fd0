// The frames and values of the bus between the engine and the board's process (c/bus.c tells the bytes).
import { BroomeError } from "../error.js";

/** What can travel over the bus. Bytes arrive in the machine as ArrayBuffer; it may send any view on one. */
export type Value = undefined | null | boolean | number | string | Uint8Array | Value[];

/** Thrown by a handler of calls: becomes an Error with this `code` and message in the machine. */
export class BusError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "BusError";
    this.code = code;
  }
}

/** Longest frame, in bytes, without its length. */
export const FRAME_LIMIT = 65536;
const DEPTH_LIMIT = 4;

export const FRAME = { call: 1, idle: 2, abort: 3, reply: 0x11, error: 0x12, event: 0x13 } as const;
const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  number: 5,
  string: 6,
  bytes: 7,
  array: 8,
} as const;

/** Long enough for the longest frame; written to one frame after the other, since each is copied out whole. */
const scratch = Buffer.alloc(4 + FRAME_LIMIT);

/** A frame ready to be sent. Throws BusError `frame-too-long`. */
export function encodeFrame(type: number, head: number[], values: Value[]): Buffer {
  let at = scratch.writeUInt8(type, 4);
  for (const byte of head) at = scratch.writeUInt8(byte, at);
  for (const value of values) at = encodeValue(value, at, 0);
  scratch.writeUInt32LE(at - 4, 0);
  return Buffer.from(scratch.subarray(0, at));
}

/** Writes a value at `at`; returns the place behind it. */
function encodeValue(value: Value, at: number, depth: number): number {
  if (value === undefined) return room(at, 1) && scratch.writeUInt8(TAG.undefined, at);
  if (value === null) return room(at, 1) && scratch.writeUInt8(TAG.null, at);
  if (typeof value === "boolean") return room(at, 1) && scratch.writeUInt8(value ? TAG.true : TAG.false, at);
  if (typeof value === "number") return encodeNumber(value, at);
  if (typeof value === "string") return encodeSized(TAG.string, encodeText(value), at);
  if (value instanceof Uint8Array) return encodeSized(TAG.bytes, value, at);
  if (!Array.isArray(value) || depth >= DEPTH_LIMIT)
    throw new BusError("bad-value", `${typeof value} cannot travel over the bus`);
  let end = encodeHead(TAG.array, value.length, at);
  for (const item of value) end = encodeValue(item, end, depth + 1);
  return end;
}

function encodeNumber(value: number, at: number): number {
  room(at, 9);
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0)) {
    scratch.writeUInt8(TAG.integer, at);
    return scratch.writeInt32LE(value, at + 1);
  }
  scratch.writeUInt8(TAG.number, at);
  return scratch.writeDoubleLE(value, at + 1);
}

function encodeHead(tag: number, length: number, at: number): number {
  room(at, 5);
  scratch.writeUInt8(tag, at);
  return scratch.writeUInt32LE(length, at + 1);
}

function encodeSized(tag: number, bytes: Uint8Array, at: number): number {
  room(at, 5 + bytes.length);
  const start = encodeHead(tag, bytes.length, at);
  scratch.set(bytes, start);
  return start + bytes.length;
}

/** Throws where `length` more bytes do not fit. */
function room(at: number, length: number): true {
  if (at + length <= scratch.length) return true;
  throw new BusError("frame-too-long", `${at - 4 + length} bytes, at most ${FRAME_LIMIT}`);
}

/** UTF-8 with U+0000 as C0 80, as XS holds strings. */
function encodeText(text: string): Buffer {
  if (!text.includes("\0")) return Buffer.from(text, "utf8");
  return Buffer.concat(
    text.split("\0").flatMap((part, i) => [Buffer.from(i ? [0xc0, 0x80] : []), Buffer.from(part)]),
  );
}

function decodeText(bytes: Buffer): string {
  if (!bytes.includes(0xc0)) return bytes.toString("utf8");
  const parts: string[] = [];
  let start = 0;
  for (let at = bytes.indexOf("c080", 0, "hex"); at >= 0; at = bytes.indexOf("c080", start, "hex")) {
    parts.push(bytes.toString("utf8", start, at));
    start = at + 2;
  }
  return [...parts, bytes.toString("utf8", start)].join("\0");
}

/** All values of a frame, from `offset` on. The bytes are copies. */
export function decodeValues(frame: Buffer, offset: number): Value[] {
  const reader = new Reader(frame, offset);
  const values: Value[] = [];
  while (reader.left > 0) values.push(reader.value(0));
  return values;
}

class Reader {
  private readonly frame: Buffer;
  private offset: number;

  constructor(frame: Buffer, offset: number) {
    this.frame = frame;
    this.offset = offset;
  }

  get left(): number {
    return this.frame.length - this.offset;
  }

  /** Where the next `length` bytes begin; they count as read. */
  private take(length: number): number {
    if (length > this.left) throw malformed();
    this.offset += length;
    return this.offset - length;
  }

  value(depth: number): Value {
    if (depth > DEPTH_LIMIT) throw malformed();
    const { frame } = this;
    const tag = frame[this.take(1)];
    if (tag === TAG.undefined) return undefined;
    if (tag === TAG.null) return null;
    if (tag === TAG.false || tag === TAG.true) return tag === TAG.true;
    if (tag === TAG.integer) return frame.readInt32LE(this.take(4));
    if (tag === TAG.number) return frame.readDoubleLE(this.take(8));
    if (tag === TAG.string) return decodeText(this.bytes());
    if (tag === TAG.bytes) return new Uint8Array(this.bytes());
    if (tag === TAG.array) return this.array(depth);
    throw malformed();
  }

  private bytes(): Buffer {
    const length = this.frame.readUInt32LE(this.take(4));
    const at = this.take(length);
    return this.frame.subarray(at, at + length);
  }

  private array(depth: number): Value[] {
    const count = this.frame.readUInt32LE(this.take(4));
    if (count > this.left) throw malformed();
    return Array.from({ length: count }, () => this.value(depth + 1));
  }
}

function malformed(): BroomeError {
  return new BroomeError(
    "bus-malformed",
    "The engine sent a malformed frame",
    "This is a bug: please report it.",
  );
}

/** Cuts a stream of bytes into frames (type and values, without the length). */
export class FrameReader {
  private pending: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.pending = this.pending.length ? Buffer.concat([this.pending, bytes]) : bytes;
  }

  next(): Buffer | undefined {
    if (this.pending.length < 4) return undefined;
    const length = this.pending.readUInt32LE(0);
    if (length < 1 || length > FRAME_LIMIT) throw malformed();
    if (this.pending.length < 4 + length) return undefined;
    const frame = this.pending.subarray(4, 4 + length);
    this.pending = this.pending.subarray(4 + length);
    return frame;
  }
}
