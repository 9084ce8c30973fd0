// The one door of the virtual platform: synchronous calls to the board, and the board's events by source and handle.
// Nothing is kept at module level (modules are preloaded, hence read-only): the listeners hang on the global object.

export type BusValue =
  undefined | null | boolean | number | string | ArrayBuffer | Uint8Array | readonly BusValue[];
export type Listener = (event: string, ...values: BusValue[]) => void;

interface BusGlobal {
  bus(operation: string, ...values: BusValue[]): BusValue;
  onBusEvent?: (name: string, ...values: BusValue[]) => void;
  busListeners?: Map<string, Listener>;
}

/** Asked for on every call: a preloaded module's constants belong to the root, whose global object is another one. */
function board(): BusGlobal {
  return globalThis as unknown as BusGlobal;
}

/** Calls an operation of the board. Throws an Error with `code` where the board refuses. */
export function call(operation: string, ...values: BusValue[]): BusValue {
  return board().bus(operation, ...values);
}

/** Calls an operation that returns bytes. */
export function callBytes(operation: string, ...values: BusValue[]): Uint8Array {
  return bytesOf(board().bus(operation, ...values));
}

/** Bytes arrive from the board as an ArrayBuffer of their own. */
export function bytesOf(value: BusValue): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(value as ArrayBuffer);
}

/** Events named `source.event` go to the listener of `source`; with a handle (first value) to that of `source` and handle. */
export function listen(source: string, handle: number | undefined, listener: Listener | undefined): void {
  const global = board();
  const listeners = (global.busListeners ??= new Map());
  global.onBusEvent ??= deliver;
  const key = handle === undefined ? source : source + handle;
  if (listener) listeners.set(key, listener);
  else listeners.delete(key);
}

function deliver(
  name: string,
  first?: BusValue,
  second?: BusValue,
  third?: BusValue,
  fourth?: BusValue,
): void {
  const dot = name.indexOf(".");
  const source = name.slice(0, dot);
  const event = name.slice(dot + 1);
  const listeners = board().busListeners!;
  const plain = listeners.get(source);
  if (plain) plain(event, first, second, third, fourth);
  else listeners.get(source + (first as number))?.(event, second, third, fourth);
}
