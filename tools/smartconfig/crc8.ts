// CRC-8 as ESP-Touch uses it: polynomial 0x31, reflected (0x8c), beginning with 0 (CRC-8/MAXIM-DOW).

const POLYNOMIAL = 0x8c;

/** CRC of the bytes, 0 to 255. */
export function crc8(...bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  }
  return crc;
}
