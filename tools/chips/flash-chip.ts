// The SPI flash on a board: who it says it is, and how long it takes.

export interface FlashChip {
  readonly name: string;
  /** JEDEC: manufacturer, memory type. The capacity code is the size's. */
  readonly manufacturer: number;
  readonly memoryType: number;
  /** Typical times, ms. */
  readonly sectorEraseMs: number; // 4 KB
  readonly blockEraseMs: number; // 64 KB
  readonly chipEraseMsPerMb: number;
  readonly pageProgramMs: number; // 256 bytes
}

/**
 * GigaDevice GD25Q32C, on many boards. Its times are assumed: typical ones of 32 Mbit parts of its kind (a driver of the ZB25VQ32
 * names 45 ms a sector, 250 ms a block, 12 s the chip, 0.5 ms a page); its own data sheet's table was not read.
 */
export const gd25q32c: FlashChip = {
  name: "GD25Q32C",
  manufacturer: 0xc8,
  memoryType: 0x40,
  sectorEraseMs: 45,
  blockEraseMs: 250,
  chipEraseMsPerMb: 3750, // 15 s for 4 MB
  pageProgramMs: 0.6,
};
