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

/** A frame ready to be sent. Throws BusError `frame-too-long`. */
export function encodeFrame(type: number, head: number[], values: Value[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0, 0, 0, 0, type, ...head])];
  for (const value of values) encodeValue(parts, value, 0);
  const frame = Buffer.concat(parts);
  if (frame.length - 4 > FRAME_LIMIT) {
    throw new BusError("frame-too-long", `${frame.length - 4} bytes, at most ${FRAME_LIMIT}`);
  }
  frame.writeUInt32LE(frame.length - 4, 0);
  return frame;
}

function encodeValue(parts: Buffer[], value: Value, depth: number): void {
  if (value === undefined) parts.push(Buffer.from([TAG.undefined]));
  else if (value === null) parts.push(Buffer.from([TAG.null]));
  else if (typeof value === "boolean") parts.push(Buffer.from([value ? TAG.true : TAG.false]));
  else if (typeof value === "number") parts.push(encodeNumber(value));
  else if (typeof value === "string") encodeSized(parts, TAG.string, encodeText(value));
  else if (value instanceof Uint8Array) encodeSized(parts, TAG.bytes, value);
  else if (Array.isArray(value) && depth < DEPTH_LIMIT) {
    parts.push(head(TAG.array, value.length));
    for (const item of value) encodeValue(parts, item, depth + 1);
  } else throw new BusError("bad-value", `${typeof value} cannot travel over the bus`);
}

function encodeNumber(value: number): Buffer {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0)) {
    const bytes = Buffer.alloc(5, TAG.integer);
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, TAG.number);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function head(tag: number, length: number): Buffer {
  const bytes = Buffer.alloc(5, tag);
  bytes.writeUInt32LE(length, 1);
  return bytes;
}

function encodeSized(parts: Buffer[], tag: number, bytes: Uint8Array): void {
  parts.push(head(tag, bytes.length), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
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

  private take(length: number): Buffer {
    if (length > this.left) throw malformed();
    this.offset += length;
    return this.frame.subarray(this.offset - length, this.offset);
  }

  value(depth: number): Value {
    if (depth > DEPTH_LIMIT) throw malformed();
    const tag = this.take(1)[0];
    if (tag === TAG.undefined) return undefined;
    if (tag === TAG.null) return null;
    if (tag === TAG.false || tag === TAG.true) return tag === TAG.true;
    if (tag === TAG.integer) return this.take(4).readInt32LE();
    if (tag === TAG.number) return this.take(8).readDoubleLE();
    if (tag === TAG.string) return decodeText(this.take(this.take(4).readUInt32LE()));
    if (tag === TAG.bytes) return new Uint8Array(this.take(this.take(4).readUInt32LE()));
    if (tag === TAG.array) return this.array(depth);
    throw malformed();
  }

  private array(depth: number): Value[] {
    const count = this.take(4).readUInt32LE();
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
