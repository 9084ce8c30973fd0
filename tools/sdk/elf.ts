// Sizes of an ELF file's sections (System V ABI, "Sections"; 32 bit, little-endian, as both toolchains write it). Pure.

import { BroomeError } from "../error.js";

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number; // bytes
}

const HEADER_SIZE = 52;
const SECTION_HEADER_SIZE = 40;
const MAX_SECTIONS = 512;

/** Sections that are loaded or made at start (they have an address). Throws `elf-unreadable`. */
export function sectionsOf(bytes: Uint8Array): Section[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_SIZE || view.getUint32(0, false) !== 0x7f454c46)
    throw unreadable("no ELF header");
  if (bytes[4] !== 1 || bytes[5] !== 1) throw unreadable("not 32 bit, little-endian");
  const table = view.getUint32(32, true);
  const [entry, count, names] = [46, 48, 50].map((at) => view.getUint16(at, true)) as [
    number,
    number,
    number,
  ];
  if (entry !== SECTION_HEADER_SIZE || count > MAX_SECTIONS || names >= count)
    throw unreadable(`${count} sections of ${entry} bytes, names in ${names}`);
  if (table + count * entry > bytes.length) throw unreadable("the section table lies beyond the end");
  const field = (section: number, at: number) => view.getUint32(table + section * entry + at, true);
  const namesAt = field(names, 16);
  const all = Array.from({ length: count }, (_, i) => ({
    name: nameAt(bytes, namesAt + field(i, 0)),
    address: field(i, 12),
    size: field(i, 20),
  }));
  return all.filter(({ address, size }) => address > 0 && size > 0);
}

function nameAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at >= bytes.length || end < 0 || end - at > 255) throw unreadable("a section's name has no end");
  return Buffer.from(bytes.subarray(at, end)).toString("latin1");
}

function unreadable(why: string): BroomeError {
  return new BroomeError(
    "elf-unreadable",
    `the linked program is not what was expected: ${why}`,
    "Build again.",
  );
}
