// The CRC that the ESP8266 Arduino core's elf2bin.py puts into a merged file, and its ESP.checkFlashCRC() looks at. Pure.
//
// Size u32 and CRC u32 lie at 0x1010, at the start of the app's first segment, where the linker left zeros. The CRC is of the whole
// file with these eight bytes zero: polynomial 04C11DB7, highest bit first, initial value FFFFFFFF, nothing at the end
// (CRC-32/MPEG-2). It goes in last, so the app's own checksum is of the zeros as well. The core has it since 2.6.

import type { Change } from "../../firmware/format/image.js";
import { BroomeError } from "../error.js";

const SIZE_OFFSET = 0x1010;
const CRC_OFFSET = SIZE_OFFSET + 4;
const FIELD_SIZE = 8;
const POLYNOMIAL = 0x04c11db7;

/**
 * A copy of `file` with zeros in the place of size and CRC, as they were when the app's checksum was made; undefined where it carries
 * none. Throws `image-corrupt` where the CRC is wrong.
 */
export function withoutArduinoCrc(file: Uint8Array): Uint8Array | undefined {
  if (file.length < SIZE_OFFSET + FIELD_SIZE) return undefined;
  const view = viewOf(file);
  if (view.getUint32(SIZE_OFFSET, true) !== file.length) return undefined;
  const [stored, computed] = [view.getUint32(CRC_OFFSET, true), arduinoCrc(file)];
  if (stored === computed) return file.slice().fill(0, SIZE_OFFSET, SIZE_OFFSET + FIELD_SIZE);
  throw new BroomeError(
    "image-corrupt",
    `the file's CRC at 0x${CRC_OFFSET.toString(16)} is 0x${stored.toString(16)}, its bytes give 0x${computed.toString(16)}`,
    "Build the image again, or copy it again.",
  );
}

/** Puts size and CRC of `file` in, in place: the last thing that is done to it. */
export function setArduinoCrc(file: Uint8Array): void {
  const view = viewOf(file);
  view.setUint32(CRC_OFFSET, arduinoCrc(file), true);
  view.setUint32(SIZE_OFFSET, file.length, true);
}

/** Where the CRC lies, for the list of changes. */
export const arduinoCrcChange: Change = { offset: CRC_OFFSET, length: 4, what: "flash CRC" };

function arduinoCrc(file: Uint8Array): number {
  const table = tableOfBytes();
  let crc = 0xffffffff;
  for (let at = 0; at < file.length; at++) {
    const byte = at >= SIZE_OFFSET && at < SIZE_OFFSET + FIELD_SIZE ? 0 : file[at]!;
    crc = (crc << 8) ^ table[(crc >>> 24) ^ byte]!;
  }
  return crc >>> 0;
}

function tableOfBytes(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
    return crc;
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
