// One file of several, as flash would hold them: the parts at their offsets, FF between them (esptool's merge-bin). Pure.

import { FlasherError } from "./error.js";
import type { Region } from "./regions.js";

const MAX_SIZE = 128 * 2 ** 20; // bytes; the largest flash of any ESP

export interface MergeOptions {
  /** Where in flash the file will be written: its first byte. */
  targetOffset?: number;
  /** Bytes of the whole flash that it fills. */
  padTo?: number;
}

/** @throws FlasherError `region-invalid` */
export function mergeRegions(regions: readonly Region[], options: MergeOptions = {}): Uint8Array {
  const { targetOffset = 0, padTo = 0 } = options;
  const sorted = [...regions].sort((a, b) => a.offset - b.offset);
  let end = targetOffset;
  for (const { name, offset, data } of sorted) {
    if (offset < targetOffset)
      throw invalid(`${name} at ${hex(offset)} lies before the target offset ${hex(targetOffset)}`);
    if (offset < end)
      throw invalid(`${name} at ${hex(offset)} lies in what goes before it, up to ${hex(end)}`);
    end = offset + data.length;
  }
  if (padTo > 0 && end > padTo) throw invalid(`the parts end at ${hex(end)}, beyond ${hex(padTo)}`);
  const size = Math.max(end, padTo) - targetOffset;
  if (size > MAX_SIZE) throw invalid(`${size} bytes are more than any flash holds`);
  const merged = new Uint8Array(size).fill(0xff);
  for (const { offset, data } of sorted) merged.set(data, offset - targetOffset);
  return merged;
}

function invalid(message: string): FlasherError {
  return new FlasherError("region-invalid", message, "Check the offsets and sizes.");
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
