// Partition table of ESP-IDF ("Partition Tables"; esp_flash_partitions.h): 32-byte rows, an MD5 row, FF to the end.

import { FormatError } from "./error.js";
import type { Hash } from "./hash.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export interface Partition {
  readonly label: string; // at most 15 bytes
  readonly type: number; // 0 app, 1 data, 0x40 to 0xfe custom
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

export type Md5 = () => Hash;

export const PARTITION_TABLE_SIZE = 0xc00;
export const TYPE_APP = 0;
export const TYPE_DATA = 1;
export const SUBTYPE_OTA_0 = 0x10; // of an app; ota_1 is one more
export const SUBTYPE_OTADATA = 0; // of data
export const SUBTYPE_NVS = 2;

const ROW_SIZE = 32;
const ROWS = PARTITION_TABLE_SIZE / ROW_SIZE;
const HELP = "Write the partition table again: `broome flash`.";

/** 3 KB: the rows, their MD5, FF. Throws `value-too-long`, `value-not-utf8`, `partition-table-corrupt` for too many rows. */
export function encodePartitionTable(partitions: readonly Partition[], md5: Md5): Uint8Array {
  if (partitions.length > ROWS - 2)
    throw corrupt(`${partitions.length} rows do not fit, at most ${ROWS - 2} do`);
  const bytes = new Uint8Array(PARTITION_TABLE_SIZE).fill(0xff);
  const out = new DataView(bytes.buffer);
  let at = 0;
  for (const partition of partitions) {
    const label = encodeUtf8(partition.label);
    if (label.length > 15)
      throw new FormatError("value-too-long", `label "${partition.label}" is over 15 bytes`, "Shorten it.");
    bytes.fill(0, at, at + ROW_SIZE);
    bytes[at] = 0xaa;
    bytes[at + 1] = 0x50;
    bytes[at + 2] = partition.type;
    bytes[at + 3] = partition.subtype;
    out.setUint32(at + 4, partition.offset, true);
    out.setUint32(at + 8, partition.size, true);
    bytes.set(label, at + 12);
    out.setUint32(at + 28, partition.flags, true);
    at += ROW_SIZE;
  }
  const hash = md5();
  hash.update(bytes.subarray(0, at));
  bytes[at] = 0xeb;
  bytes[at + 1] = 0xeb;
  bytes.set(hash.digest(), at + 16);
  return bytes;
}

/**
 * The rows of the table in `bytes` (up to its end marker). A wrong MD5 row is an error, a missing one is not, as in the bootloader;
 * without `md5` it is not computed. Throws `partition-table-corrupt`.
 */
export function parsePartitionTable(bytes: Uint8Array, md5?: Md5): Partition[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const partitions: Partition[] = [];
  let summed = false;
  for (let at = 0; at < PARTITION_TABLE_SIZE; at += ROW_SIZE) {
    if (at + ROW_SIZE > bytes.length) throw corrupt("the table has no end marker");
    const magic = view.getUint16(at, true);
    if (magic === 0x50aa) {
      if (summed) throw corrupt("a row follows the MD5 row");
      partitions.push(parseRow(bytes.subarray(at, at + ROW_SIZE), partitions.length));
    } else if (magic === 0xebeb) {
      if (summed) throw corrupt("only one MD5 checksum is allowed");
      summed = true;
      if (md5) checkSum(bytes, at, md5);
    } else if (magic === 0xffff && at > 0 && bytes[at + 2] === 0xff && bytes[at + 3] === 0xff) {
      return partitions;
    } else {
      throw corrupt(`partition ${partitions.length} invalid magic number 0x${magic.toString(16)}`);
    }
  }
  throw corrupt("the table has no end marker");
}

/** The partition called `label`, or undefined. */
export function findPartition(partitions: readonly Partition[], label: string): Partition | undefined {
  for (const partition of partitions) if (partition.label === label) return partition;
  return undefined;
}

function parseRow(row: Uint8Array, index: number): Partition {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let end = 12;
  while (end < 28 && row[end] !== 0) end++;
  const offset = view.getUint32(4, true);
  const size = view.getUint32(8, true);
  if (offset + size > 0x100000000) throw corrupt(`partition ${index} ends beyond 4 GB`);
  return {
    label: decodeUtf8(row.subarray(12, end)),
    type: row[2]!,
    subtype: row[3]!,
    offset,
    size,
    flags: view.getUint32(28, true),
  };
}

function checkSum(bytes: Uint8Array, at: number, md5: Md5): void {
  const hash = md5();
  hash.update(bytes.subarray(0, at));
  const digest = hash.digest();
  for (let i = 0; i < 16; i++) if (digest[i] !== bytes[at + 16 + i]) throw corrupt("Incorrect MD5 checksum");
}

function corrupt(message: string): FormatError {
  return new FormatError("partition-table-corrupt", message, HELP);
}
