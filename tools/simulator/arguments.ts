// Checks what firmware hands to a bus operation: the program on the board is not trusted to pass the right types.

import { BusError, type Value } from "../engine/engine.js";

function wrong(index: number, expected: string, got: Value): BusError {
  const type = got instanceof Uint8Array ? "bytes" : Array.isArray(got) ? "list" : typeof got;
  const shown = typeof got === "number" ? ` ${got}` : "";
  return new BusError("bad-argument", `argument ${index} expected ${expected}, got ${type}${shown}`);
}

/** Bytes of at most `limit`. @throws BusError `bad-argument` */
export function bytesAt(args: Value[], index: number, limit = 0x10000): Uint8Array {
  const value = args[index];
  if (value instanceof Uint8Array && value.length <= limit) return value;
  throw wrong(index, `at most ${limit} bytes`, value);
}

/** Bytes of exactly `length`. @throws BusError `bad-argument` */
export function exactBytesAt(args: Value[], index: number, length: number): Uint8Array {
  const value = args[index];
  if (value instanceof Uint8Array && value.length === length) return value;
  throw wrong(index, `${length} bytes`, value);
}

/** A whole number from 0 to `limit`. @throws BusError `bad-argument` */
export function wholeAt(args: Value[], index: number, limit = 0xffffffff): number {
  const value = args[index];
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= limit) return value;
  throw wrong(index, `a whole number from 0 to ${limit}`, value);
}

/** @throws BusError `bad-argument` */
export function textAt(args: Value[], index: number, limit = 1024): string {
  const value = args[index];
  if (typeof value === "string" && value.length <= limit) return value;
  throw wrong(index, `text of at most ${limit} characters`, value);
}

/** Undefined where the argument is, else what `read` makes of it. */
export function optionalAt<T>(
  args: Value[],
  index: number,
  read: (args: Value[], index: number) => T,
): T | undefined {
  return args[index] === undefined ? undefined : read(args, index);
}
