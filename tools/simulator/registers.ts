// The registers that serial tools read and write: eFuse words, the SPI controller of the flash, and plain memory.

import type { Chip, FieldParts } from "../chips/chip.js";
import type { NorFlash } from "./flash.js";

const SPI_CMD_USR = 2 ** 18; // start a user-defined command (SPI_CMD_REG)
const SPI_ADDRESS_BITS = 26; // where SPI_USER1_REG has the length of the address
const MAGIC_ADDRESS = 0x40001000;
const MAX_WRITTEN = 4096; // registers remembered

/** Commands of a SPI flash (JEDEC). */
const SPI_READ_ID = 0x9f;
const SPI_READ_SFDP = 0x5a;
const SPI_READ_STATUS = [0x05, 0x35, 0x15];
const SPI_WRITE_STATUS = [0x01, 0x31, 0x11];

export interface RegisterOptions {
  readonly chip: Chip;
  readonly mac: Uint8Array;
  readonly flash: NorFlash;
  /** Of the UART: its divider is a register. */
  baudRate(): number;
}

export class Registers {
  private readonly options: RegisterOptions;
  private readonly chip: Chip;
  private readonly flash: NorFlash;
  private readonly words = new Map<number, number>();
  private readonly status = [0, 0, 0];

  constructor(options: RegisterOptions) {
    this.options = options;
    const { chip, flash, mac } = options;
    this.chip = chip;
    this.flash = flash;
    const { magic, specimen, fields, majorRevisions } = chip.rom;
    for (const [address, value] of Object.entries(specimen.words)) this.words.set(Number(address), value);
    this.words.set(MAGIC_ADDRESS, magic[0] ?? 0);
    chip.rom.mac.forEach((field, index) => this.burn([field], mac[index]!));
    this.burn(fields.package, specimen.package);
    this.burn(fields.majorRevision, codeOf(specimen.majorRevision, majorRevisions));
    this.burn(fields.minorRevision, specimen.minorRevision);
  }

  read(address: number): number {
    const { uartClock, crystal } = this.chip.rom;
    if (address === uartClock?.divider.address)
      return Math.round((crystal * 1e6 * uartClock.perCrystal) / this.options.baudRate());
    return this.words.get(address) ?? 0;
  }

  /** Changes the bits under `mask`. Fuses cannot be written, and memory beyond a few thousand words is not kept. */
  write(address: number, value: number, mask: number): void {
    if (this.isFixed(address)) return;
    if (!this.words.has(address) && this.words.size >= MAX_WRITTEN) return;
    this.words.set(address, ((this.read(address) & ~mask) | (value & mask)) >>> 0);
    const { base } = this.chip.rom.spi;
    if (address === base && this.read(base) & SPI_CMD_USR) this.runSpiCommand();
  }

  private isFixed(address: number): boolean {
    const { fuses } = this.chip.rom;
    return address === MAGIC_ADDRESS || (address >= fuses.start && address < fuses.end);
  }

  private burn(parts: FieldParts, value: number): void {
    let rest = value;
    for (const { address, shift, bits } of parts) {
      const part = rest & (2 ** bits - 1);
      this.words.set(address, (this.read(address) | (part << shift)) >>> 0);
      rest >>>= bits;
    }
  }

  /** The command byte, address and data lie in the controller's registers; the answer goes to its data register. */
  private runSpiCommand(): void {
    const { spi } = this.chip.rom;
    const command = this.read(spi.base + spi.usr2) & 0xff;
    const addressBits = (this.read(spi.base + spi.usr1) >>> SPI_ADDRESS_BITS) + 1;
    const addressWord = this.read(spi.base + 4);
    const address = spi.addressAtTop ? addressWord >>> (32 - addressBits) : addressWord;
    const data = spi.base + spi.data;
    const { offset, shift, bits: width } = spi.misoLength;
    const bits = ((this.read(spi.base + offset) >>> shift) & (2 ** width - 1)) + 1;
    const answer = this.answer(command, address, this.read(data));
    if (answer !== undefined) this.words.set(data, bits < 32 ? (answer & (2 ** bits - 1)) >>> 0 : answer);
    this.words.set(spi.base, (this.read(spi.base) & ~SPI_CMD_USR) >>> 0); // done
  }

  private answer(command: number, address: number, data: number): number | undefined {
    const { manufacturer, memoryType } = this.chip.flash;
    if (command === SPI_READ_ID) return manufacturer | (memoryType << 8) | (Math.log2(this.flash.size) << 16);
    if (command === SPI_READ_SFDP) return this.sfdpWord(address);
    const read = SPI_READ_STATUS.indexOf(command);
    if (read >= 0) return this.status[read];
    const write = SPI_WRITE_STATUS.indexOf(command);
    if (write >= 0) this.status[write] = data & 0xff;
    return undefined;
  }

  /** Four bytes of the flash's description of itself (JESD216): header, one parameter table with the density. */
  private sfdpWord(address: number): number {
    const table = new DataView(new ArrayBuffer(0x100));
    for (let i = 0; i < 0x100; i += 1) table.setUint8(i, 0xff);
    table.setUint32(0x00, 0x50444653, true); // "SFDP"
    table.setUint32(0x04, 0xff000106, true); // revision 1.6, one parameter header
    table.setUint32(0x08, 0x10010600, true); // the basic table: revision 1.6, 16 words
    table.setUint32(0x0c, 0xff000030, true); // at 0x30
    table.setUint32(0x10, 0x03010000 | this.chip.flash.manufacturer, true); // the maker's own table: none that anybody needs
    table.setUint32(0x14, 0xff000060, true);
    table.setUint32(0x30, 0xfff120e5, true); // 4 KB erase is 0x20, 3-byte addresses
    table.setUint32(0x34, this.flash.size * 8 - 1, true); // density in bits
    return address + 4 <= table.byteLength ? table.getUint32(address, true) : 0xffffffff;
  }
}

/** The number in the fuses for a revision that people call `meaning`. */
function codeOf(meaning: number, meanings: Readonly<Record<number, number>> | undefined): number {
  if (meanings === undefined) return meaning;
  return Number(Object.keys(meanings).find((code) => meanings[Number(code)] === meaning));
}
