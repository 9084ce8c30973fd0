// What a file is that is no image, or must not be changed: encrypted, signed, damaged (esp_secure_boot.h; esptool's image_info).

import { FormatError } from "./error.js";

const SECTOR_SIZE = 4096;
const NOISE_SIZE = 1024; // bytes that are looked at
const NOISE_VALUES = 235; // different ones among them
const V1_SIGNATURE_SIZE = 68;

export const IMAGE_HELP = "Build the image again, or copy it again.";

export function corruptImage(message: string): FormatError {
  return new FormatError("image-corrupt", message, IMAGE_HELP);
}

/** For a file or slot that does not begin as an image does; `read` may read its `limit` bytes. */
export function notAnImage(
  first: number,
  read: (offset: number, length: number) => Uint8Array,
  limit: number,
): FormatError {
  if (limit >= NOISE_SIZE && isNoise(read(0, NOISE_SIZE)))
    return new FormatError(
      "image-encrypted",
      `the image looks encrypted or compressed: no pattern in its bytes, and it begins with ${hex(first)}`,
      "Take the plain image; the chip or `espsecure` encrypts it later.",
    );
  return corruptImage(`no ESP image: it begins with ${hex(first)}, not 0xe9 or 0xea`);
}

/** Secure Boot V2: a block that begins E7 02 at a sector's start; V1: 4 bytes of version 0 and 64 of signature. */
export function isSigned(bytes: Uint8Array, end: number): boolean {
  for (
    let at = end + ((SECTOR_SIZE - (end % SECTOR_SIZE)) % SECTOR_SIZE);
    at + 4 <= bytes.length;
    at += SECTOR_SIZE
  )
    if (bytes[at] === 0xe7 && bytes[at + 1] === 0x02 && bytes[at + 2] === 0 && bytes[at + 3] === 0)
      return true;
  if (bytes.length !== end + V1_SIGNATURE_SIZE) return false;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(end, true) === 0;
}

/** True where nearly every byte value occurs: 1 KB of random bytes has 251 of 256 on average, code has far fewer. */
function isNoise(bytes: Uint8Array): boolean {
  const seen = new Uint8Array(256);
  let distinct = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (seen[bytes[i]!] === 0) distinct++;
    seen[bytes[i]!] = 1;
  }
  return distinct >= NOISE_VALUES;
}

function hex(value: number): string {
  return "0x" + value.toString(16);
}
