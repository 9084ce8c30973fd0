// The owner's defaults as the store keeps them (DESIGN.md, decision 5): imported from the image's block, outliving the image.

import { defaultsCrc, readDefaults } from "../format/defaults-block.js";
import type { DefaultValue, Defaults } from "../format/defaults-block.js";
import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import { DEFAULTS, DEFAULTS_WORKED } from "./keys.js";
import type { LogStore } from "./log-store.js";

/** The parts that can prove themselves; until one has, it is tried before what is stored. */
export const NETWORK_PART = 1;
export const SERVER_PART = 2;

/**
 * Takes over the block of the running image, where it is not blank and its CRC is not that of the last import. A damaged
 * block, or none, changes nothing.
 *
 * @returns what happened, for the log; undefined where there is nothing to say
 */
export function importDefaults(store: LogStore, block: Uint8Array | undefined): string | undefined {
  if (!block) return undefined;
  try {
    const values = readDefaults(block);
    const crc = defaultsCrc(block);
    if (!values || crcOf(store.get(DEFAULTS)) === crc) return undefined;
    const json = encodeUtf8(JSON.stringify(values));
    const record = new Uint8Array(4 + json.length);
    new DataView(record.buffer).setUint32(0, crc, true);
    record.set(json, 4);
    store.set(DEFAULTS, record);
    return `imported ${Object.keys(values).length} values`;
  } catch (error) {
    return `not imported: ${(error as Error).message}`;
  }
}

/** All values. Read and parsed anew each time: they are rarely needed, and memory is dear. */
export function defaultValues(store: LogStore): Defaults {
  const record = store.get(DEFAULTS);
  if (!record || record.length <= 4) return {};
  try {
    return JSON.parse(decodeUtf8(record.subarray(4))) as Defaults; // flat: checked before it was stored
  } catch {
    return {};
  }
}

export function textDefault(values: Defaults, key: string): string | undefined {
  const value: DefaultValue | undefined = values[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number of the defaults, within bounds; `otherwise` where there is none, or none that can be used. */
export function numberDefault(values: Defaults, key: string, otherwise: number): number {
  const value = Number(values[key] ?? otherwise);
  return value >= 0 && value <= 0xffffffff ? value : otherwise;
}

/** True for a part of the last import that has not yet led anywhere. */
export function isFresh(store: LogStore, part: number): boolean {
  const crc = crcOf(store.get(DEFAULTS));
  const worked = store.get(DEFAULTS_WORKED);
  return crc !== undefined && !(crcOf(worked) === crc && (worked![4]! & part) !== 0);
}

/** The part led to a network, or to a server that took the device. */
export function markWorked(store: LogStore, part: number): void {
  const crc = crcOf(store.get(DEFAULTS));
  if (crc === undefined || !isFresh(store, part)) return;
  const old = store.get(DEFAULTS_WORKED);
  const record = new Uint8Array(5);
  new DataView(record.buffer).setUint32(0, crc, true);
  record[4] = part | (crcOf(old) === crc ? old![4]! : 0);
  store.set(DEFAULTS_WORKED, record);
}

function crcOf(record: Uint8Array | undefined): number | undefined {
  if (!record || record.length < 4) return undefined;
  return new DataView(record.buffer, record.byteOffset, record.length).getUint32(0, true);
}
