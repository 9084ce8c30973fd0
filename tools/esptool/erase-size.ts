// What to tell a ROM to erase so that the right sectors are erased (esptool's `get_erase_size` for the ESP8266).

const SECTOR_SIZE = 4096; // bytes
const SECTORS_PER_BLOCK = 16; // of the flash's 64 KB block erase

/**
 * Bytes to ask the ESP8266's ROM for so that it erases at least `size` bytes at `offset`. Its SPIEraseArea counts the sectors
 * before the first 64 KB boundary twice: told the plain size, it erases up to twice as much.
 */
export function esp8266EraseSize(offset: number, size: number): number {
  const sectors = Math.ceil(size / SECTOR_SIZE);
  const first = Math.floor(offset / SECTOR_SIZE);
  const head = Math.min(sectors, SECTORS_PER_BLOCK - (first % SECTORS_PER_BLOCK));
  if (sectors < 2 * head) return Math.floor((sectors + 1) / 2) * SECTOR_SIZE;
  return (sectors - head) * SECTOR_SIZE;
}
