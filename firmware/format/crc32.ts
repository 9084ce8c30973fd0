// CRC-32 of ISO-HDLC, as zlib computes it (RFC 1952, section 8): reflected polynomial EDB88320.

/** The remainders of the sixteen nibbles: a table of 256 would cost the device 1 KB for little. */
const NIBBLES = [
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
  0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
];

/**
 * CRC-32 of `bytes`, as a u32. `initial` is the CRC of what came before (zlib's second argument), so that parts can be chained;
 * ESP-IDF's otadata uses FFFFFFFF.
 */
export function crc32(bytes: Uint8Array, initial = 0): number {
  let crc = ~initial;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i]!;
    crc = (crc >>> 4) ^ NIBBLES[crc & 15]!;
    crc = (crc >>> 4) ^ NIBBLES[crc & 15]!;
  }
  return ~crc >>> 0;
}
