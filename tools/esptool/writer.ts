// Writes stretches of flash: deflated where the bootloader can inflate, raw where not.

import type { Codecs } from "./codecs.js";
import { Op } from "./command.js";
import type { Loader } from "./loader.js";
import type { Region } from "./regions.js";

const WORD = 4; // bytes; flash is written in whole words
/** How much denser than the average a block of a deflated stream may be, for its time limit. */
const DENSEST_BLOCK = 8;

/** A region as it travels. */
export interface Packed {
  readonly region: Region;
  /** Undefined: goes raw. */
  readonly stream: Uint8Array | undefined;
}

/** Bytes that have to be sent, but for framing. */
export function packedSize(packed: readonly Packed[]): number {
  return packed.reduce((sum, { region, stream }) => sum + (stream ?? region.data).length, 0);
}

export async function pack(region: Region, loader: Loader, codecs: Codecs): Promise<Packed> {
  const deflates = loader.knows(Op.FLASH_DEFL_BEGIN);
  return { region, stream: deflates ? await codecs.deflate(padded(region.data, WORD)) : undefined };
}

/**
 * Erases the sectors of the region and writes it. A stub answers before the last block is in flash: the next command waits.
 * `onBytes`: how many of the region's bytes have been sent.
 *
 * @throws RefusedError, FlasherError `no-answer`: what was written is unknown then
 */
export async function writePacked(
  loader: Loader,
  { region, stream }: Packed,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { blockSize } = loader;
  const size = Math.ceil(region.data.length / WORD) * WORD;
  const bytes = stream ?? padded(region.data, blockSize);
  if (stream) await loader.beginDeflated(region.offset, size, stream.length);
  else await loader.beginRaw(region.offset, size);
  const op = stream ? Op.FLASH_DEFL_DATA : Op.FLASH_DATA;
  const writes = Math.min(size, Math.ceil((size / bytes.length) * blockSize * DENSEST_BLOCK));
  const blocks = Math.ceil(bytes.length / blockSize);
  const payloads = Array.from({ length: blocks }, (_, at) =>
    bytes.subarray(at * blockSize, (at + 1) * blockSize),
  );
  await loader.blocks(op, payloads, {
    writes,
    onBlock: (count) =>
      onBytes(Math.round(region.data.length * Math.min(1, (count * blockSize) / bytes.length))),
  });
}

function padded(bytes: Uint8Array, unit: number): Uint8Array {
  if (bytes.length % unit === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / unit) * unit).fill(0xff);
  whole.set(bytes);
  return whole;
}
