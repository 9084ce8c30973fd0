// The one door of the virtual platform: synchronous calls to the board, and the board's events.
// Nothing is kept at module level (modules are preloaded, hence read-only): what waits for events hangs on the global object.

export type BusValue =
  undefined | null | boolean | number | string | ArrayBuffer | Uint8Array | readonly BusValue[];
export type Listener = (first: BusValue, second: BusValue, third: BusValue, fourth: BusValue) => void;

interface BusGlobal {
  bus(operation: string, ...values: BusValue[]): BusValue;
  onBusEvent?: (name: string, ...values: BusValue[]) => void;
  /** By event name: functions of the platform's modules, which are in the root and cost nothing here. */
  busListeners?: Map<string, Listener>;
  /** By handle and kind of handle: what the firmware gave. */
  busOwners?: Map<number, unknown>;
}

/** Kinds of handles: each numbers from 1 on its own. */
export const TIMEOUT = 0;
export const REPEAT = 1;
export const SOCKET = 2;
export const LOOKUP = 3;
const KINDS = 4;

/** Asked for on every call: a preloaded module's constants belong to the root, whose global object is another one. */
export function board(): BusGlobal {
  return globalThis as unknown as BusGlobal;
}

/**
 * Calls an operation of the board. Throws an Error with `code` where the board refuses. Four values and no `...`, which
 * would take another 30 of the stack's 256 slots where it is deepest.
 */
export function call(operation: string, a?: BusValue, b?: BusValue, c?: BusValue, d?: BusValue): BusValue {
  return board().bus(operation, a, b, c, d);
}

/** Calls an operation that returns bytes. */
export function callBytes(
  operation: string,
  a?: BusValue,
  b?: BusValue,
  c?: BusValue,
  d?: BusValue,
): Uint8Array {
  return bytesOf(board().bus(operation, a, b, c, d));
}

/** Calls an operation that takes any number of values and returns bytes; `values` is used up. */
export function callParts(operation: string, values: BusValue[]): Uint8Array {
  values.unshift(operation);
  return bytesOf(Reflect.apply(board().bus, undefined, values) as BusValue);
}

/** Bytes arrive from the board as an ArrayBuffer of their own. */
export function bytesOf(value: BusValue): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(value as ArrayBuffer);
}

/** Events of that name go to `listener` from now on. */
export function listen(name: string, listener: Listener): void {
  const global = board();
  global.onBusEvent ??= deliver;
  (global.busListeners ??= new Map()).set(name, listener);
}

function deliver(
  name: string,
  first?: BusValue,
  second?: BusValue,
  third?: BusValue,
  fourth?: BusValue,
): void {
  board().busListeners!.get(name)?.(first, second, third, fourth);
}

/** Remembers who a handle belongs to; undefined forgets. */
export function own(kind: number, handle: number, owner: unknown): void {
  const owners = (board().busOwners ??= new Map());
  const key = handle * KINDS + kind;
  if (owner === undefined) owners.delete(key);
  else owners.set(key, owner);
}

export function ownerOf(kind: number, handle: BusValue): unknown {
  return board().busOwners?.get((handle as number) * KINDS + kind);
}
