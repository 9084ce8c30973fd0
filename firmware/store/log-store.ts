// A power-safe log-structured store on NOR flash: the design of littlefs's metadata log, cut down to one byte for a key.
//
// Flash layout, little-endian. Sector: "BRM1", sequence u32, CRC-32 of these 8 bytes; then records, 4-aligned.
// Record: key u8 (1 to 31), check u8, length u16, CRC-32 of these 4 bytes and the value, value. Length 0 = deleted.
// Of a key's records the one in the sector with the highest sequence, and there the last one, counts. A record that was
// cut short fails its CRC and is skipped; a sector is erased only when no record in it counts.

import { crc32 } from "../format/crc32.js";
import type { Flash } from "../device/types.js";

export const MAX_VALUE = 1024; // bytes
export const MAX_KEY = 31;

const MAGIC = 0x314d5242; // "BRM1"
const SECTOR_HEADER = 12; // bytes
const RECORD_HEADER = 8; // bytes
const MIN_SECTORS = 4;
/** Sectors kept without a record that counts: compaction may be cut, and cut again, and still has room. */
const SPARE_SECTORS = 3;
/** Room that `tend` keeps in the sector that is written to. */
const TENDED_ROOM = 1024; // bytes
/** Sequences above this are not ours: 2^32 erases are more than the flash survives. */
const MAX_SEQUENCE = 0xfffffff0;

export type Checksum = (bytes: Uint8Array, initial?: number) => number;

export class StoreError extends Error {
  // A field, because Error.prototype is frozen on a device: `this.name =` throws there.
  override readonly name = "StoreError";
  readonly code: "store-full" | "value-too-long" | "store-too-small";

  constructor(code: StoreError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Values of up to 1,024 bytes under keys 1 to 31. `set` replaces atomically: after a power cut at any moment a key holds
 * its old value or its new one. RAM: four bytes a key and four a sector.
 */
export class LogStore {
  private readonly flash: Flash;
  private readonly checksum: Checksum;
  private readonly sectors: number;
  /** Flash offset of the record that counts, 0 where there is none. */
  private readonly index = new Uint32Array(MAX_KEY + 1);
  /** Sequence of each sector, 0 where it has no header. */
  private readonly sequences: Uint32Array;
  /** Bytes of each sector's records that count. */
  private readonly live: Uint16Array;
  private head = -1;
  /** Offset in flash where the next record goes; past the sector's end when it takes no more. */
  private end = 0;

  /**
   * Reads the log; writes nothing, and takes any flash content whatever.
   *
   * @param options.checksum for tests only: what the store would be without its CRC
   * @throws StoreError `store-too-small` under 4 sectors
   */
  constructor(options: { flash: Flash; checksum?: Checksum }) {
    this.flash = options.flash;
    this.checksum = options.checksum ?? crc32;
    this.sectors = Math.floor(this.flash.size / this.flash.sectorSize);
    if (this.sectors < MIN_SECTORS)
      throw new StoreError("store-too-small", `${this.sectors} sectors, at least ${MIN_SECTORS} needed`);
    this.sequences = new Uint32Array(this.sectors);
    this.live = new Uint16Array(this.sectors);
    this.open();
  }

  /** A copy of the value, or undefined. */
  get(key: number): Uint8Array | undefined {
    const at = this.index[key];
    if (!at) return undefined;
    const length = this.lengthAt(at);
    return length ? this.flash.read(at + RECORD_HEADER, length) : undefined;
  }

  /**
   * Replaces the value; it is in flash when this returns. Nothing is written where the same bytes are there already.
   *
   * @throws StoreError `value-too-long`, `store-full`
   */
  set(key: number, value: Uint8Array): void {
    if (!(key >= 1 && key <= MAX_KEY)) throw new RangeError(`store key ${key}`);
    if (value.length > MAX_VALUE)
      throw new StoreError("value-too-long", `${value.length} bytes under key ${key}, at most ${MAX_VALUE}`);
    if (this.holds(key, value)) return;
    // Bounded: a store that is nearly full must not move the same records round and round.
    let moved = this.nextToMove();
    for (let moves = 0; moved > 0 && moves < MAX_KEY; moves += 1) {
      const at = this.index[moved]!;
      this.append(moved, this.flash.read(at + RECORD_HEADER, this.lengthAt(at)));
      moved = this.nextToMove();
    }
    this.append(key, value);
  }

  delete(key: number): void {
    if (this.index[key] && this.lengthAt(this.index[key]!)) this.set(key, new Uint8Array(0));
  }

  /**
   * Begins the next sector before this one is full. To be called now and then from where the stack is nearly empty: a `set`
   * deep in it then hardly ever has to.
   */
  tend(): void {
    const room = (this.head + 1) * this.flash.sectorSize - this.end;
    if (this.head < 0 || room >= TENDED_ROOM) return;
    for (let sector = 0; sector < this.sectors; sector += 1)
      if (sector !== this.head && this.live[sector] === 0) return this.openSector();
  }

  private holds(key: number, value: Uint8Array): boolean {
    const at = this.index[key];
    if (!at || this.lengthAt(at) !== value.length) return false;
    const old = this.flash.read(at + RECORD_HEADER, value.length);
    for (let i = 0; i < old.length; i += 1) if (old[i] !== value[i]) return false;
    return true;
  }

  private lengthAt(at: number): number {
    const head = this.flash.read(at + 2, 2);
    return head[0]! | (head[1]! << 8);
  }

  private sectorOf(at: number): number {
    return Math.floor(at / this.flash.sectorSize);
  }

  // --- opening ---

  /** Newest sector first: a key that a newer sector settled needs no second look, nor its CRC. */
  private open(): void {
    for (let sector = 0; sector < this.sectors; sector += 1) {
      this.sequences[sector] = this.readSequence(sector);
      if (
        this.sequences[sector]! > 0 &&
        (this.head < 0 || this.sequences[sector]! > this.sequences[this.head]!)
      )
        this.head = sector;
    }
    let below = MAX_SEQUENCE + 1;
    for (let left = this.sectors; left > 0; left -= 1) {
      let newest = -1;
      for (let sector = 0; sector < this.sectors; sector += 1) {
        const sequence = this.sequences[sector]!;
        if (sequence > 0 && sequence < below && (newest < 0 || sequence > this.sequences[newest]!))
          newest = sector;
      }
      if (newest < 0) break;
      below = this.sequences[newest]!;
      const end = this.scan(newest);
      if (newest === this.head) this.end = end;
    }
    for (let key = 1; key <= MAX_KEY; key += 1) this.count(key);
  }

  private readSequence(sector: number): number {
    const header = this.flash.read(sector * this.flash.sectorSize, SECTOR_HEADER);
    const view = new DataView(header.buffer, header.byteOffset, SECTOR_HEADER);
    const sequence = view.getUint32(4, true);
    if (view.getUint32(0, true) !== MAGIC || sequence > MAX_SEQUENCE) return 0;
    return view.getUint32(8, true) === this.checksum(header.subarray(0, 8)) ? sequence : 0;
  }

  /** Takes over the sector's records of keys that no newer sector has; returns where the next record could go. */
  private scan(sector: number): number {
    const start = sector * this.flash.sectorSize;
    const limit = start + this.flash.sectorSize;
    let at = start + SECTOR_HEADER;
    while (at + RECORD_HEADER <= limit) {
      const header = this.flash.read(at, RECORD_HEADER);
      const key = header[0]!;
      const length = header[2]! | (header[3]! << 8);
      const size = RECORD_HEADER + ((length + 3) & ~3);
      if (key === 0xff) return this.isErased(at, limit) ? at : limit;
      if (
        header[1] !== checkByte(header) ||
        key < 1 ||
        key > MAX_KEY ||
        length > MAX_VALUE ||
        at + size > limit
      )
        return limit;
      const known = this.index[key]!;
      if ((known === 0 || this.sectorOf(known) === sector) && this.isWhole(at, header, length))
        this.index[key] = at;
      at += size;
    }
    return limit;
  }

  private isWhole(at: number, header: Uint8Array, length: number): boolean {
    const value = this.flash.read(at + RECORD_HEADER, length);
    const crc = new DataView(header.buffer, header.byteOffset, RECORD_HEADER).getUint32(4, true);
    return crc === this.checksum(value, this.checksum(header.subarray(0, 4)));
  }

  /** A cut write may have left bytes anywhere: what is not all FF takes no more records. */
  private isErased(from: number, limit: number): boolean {
    for (let at = from; at < limit; at += 256) {
      const bytes = this.flash.read(at, Math.min(256, limit - at));
      for (let i = 0; i < bytes.length; i += 1) if (bytes[i] !== 0xff) return false;
    }
    return true;
  }

  // --- writing ---

  // Kept flat: XS's stack holds 256 slots, and whoever calls `set` has used most of them.

  private append(key: number, value: Uint8Array): void {
    const size = RECORD_HEADER + ((value.length + 3) & ~3);
    if (this.head < 0 || this.end + size > (this.head + 1) * this.flash.sectorSize) this.openSector();
    const at = this.end;
    const header = new Uint8Array(RECORD_HEADER);
    const view = new DataView(header.buffer);
    header[0] = key;
    view.setUint16(2, value.length, true);
    header[1] = checkByte(header);
    const start = this.checksum(header.subarray(0, 4)); // one call after the other: nested they take more of the stack
    const crc = this.checksum(value, start);
    view.setUint32(4, crc, true);
    this.end += size; // also when the write fails: these bytes are no longer erased
    this.flash.write(at, header);
    if (value.length > 0) this.flash.write(at + RECORD_HEADER, value);
    const old = this.index[key]!;
    const left = old > 0 ? RECORD_HEADER + this.lengthAt(old) : 0;
    if (old > 0) this.live[this.sectorOf(old)]! -= left;
    this.live[this.sectorOf(at)]! += RECORD_HEADER + value.length;
    this.index[key] = at;
  }

  /** Takes the key's record into its sector's account. */
  private count(key: number): void {
    const at = this.index[key]!;
    if (at > 0) this.live[this.sectorOf(at)]! += RECORD_HEADER + this.lengthAt(at);
  }

  /** Erases the next sector in the ring in which no record counts, and makes it the head. */
  private openSector(): void {
    let next = -1;
    for (let step = 1; step <= this.sectors && next < 0; step += 1) {
      const sector = (this.head + step + this.sectors) % this.sectors;
      if (sector !== this.head && this.live[sector] === 0) next = sector;
    }
    if (next < 0) throw new StoreError("store-full", "every sector holds records that count");
    const sequence = this.head < 0 ? 1 : this.sequences[this.head]! + 1;
    this.sequences[next] = 0;
    this.flash.eraseSector(next);
    const header = new Uint8Array(SECTOR_HEADER);
    const view = new DataView(header.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint32(4, sequence, true);
    view.setUint32(8, this.checksum(header.subarray(0, 8)), true);
    this.flash.write(next * this.flash.sectorSize, header);
    this.sequences[next] = sequence;
    this.head = next;
    this.end = next * this.flash.sectorSize + SECTOR_HEADER;
  }

  /** The key of a record that has to leave the emptiest sector, while too few sectors are free; else 0. */
  private nextToMove(): number {
    let free = 0;
    let victim = -1;
    for (let sector = 0; sector < this.sectors; sector += 1) {
      if (sector === this.head) continue;
      if (this.live[sector] === 0) free += 1;
      else if (victim < 0 || this.live[sector]! < this.live[victim]!) victim = sector;
    }
    if (victim < 0 || free >= Math.min(SPARE_SECTORS, this.sectors - 2)) return 0;
    for (let key = 1; key <= MAX_KEY; key += 1) {
      const at = this.index[key]!;
      if (at > 0 && this.sectorOf(at) === victim) return key;
    }
    return 0;
  }
}

/** Guards the length, without which nothing behind the record could be found. */
function checkByte(header: Uint8Array): number {
  return 0x5a ^ header[0]! ^ header[2]! ^ header[3]!;
}
