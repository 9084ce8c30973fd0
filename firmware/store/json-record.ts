// Records of the store that are JSON objects.

import { encodeUtf8 } from "../format/utf8.js";
import { parseJson } from "../protocol/json-depth.js";
import type { LogStore } from "./log-store.js";

/** The object under `key`; undefined where there is none, or none that this version can read. */
export function getRecord<T extends object>(store: LogStore, key: number): Partial<T> | undefined {
  const bytes = store.get(key);
  if (!bytes) return undefined;
  try {
    return parseJson(bytes) as Partial<T>;
  } catch {
    return undefined; // written by another version: as good as absent, and the next write replaces it
  }
}

/** Throws as `LogStore.set`. */
export function setRecord(store: LogStore, key: number, value: object): void {
  store.set(key, encodeUtf8(JSON.stringify(value)));
}

/** A u32 under `key`, 0 where there is none. */
export function getCount(store: LogStore, key: number): number {
  const bytes = store.get(key);
  return bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) : 0;
}

export function setCount(store: LogStore, key: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  store.set(key, bytes);
}
