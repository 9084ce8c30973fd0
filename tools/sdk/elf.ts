// Sizes of an ELF file's sections, and addresses of its symbols (System V ABI, "Sections", "Symbol Table"; 32 bit, little-endian, as
// both toolchains write it). Pure.

import { BroomeError } from "../error.js";

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number; // bytes
}

/** A section's header: where its bytes lie in the file. */
interface Header extends Section {
  readonly type: number;
  readonly offset: number;
  readonly link: number;
}

const HEADER_SIZE = 52;
const SECTION_HEADER_SIZE = 40;
const MAX_SECTIONS = 512;
const SYMBOL_SIZE = 16;
const MAX_SYMBOLS = 200_000;
const SYMBOL_TABLE = 2; // SHT_SYMTAB

/** Sections that are loaded or made at start (they have an address). Throws `elf-unreadable`. */
export function sectionsOf(bytes: Uint8Array): Section[] {
  return headersOf(bytes)
    .filter(({ address, size }) => address > 0 && size > 0)
    .map(({ name, address, size }) => ({ name, address, size }));
}

/** Values of the symbols of these names; one that the file does not have is left out. Throws `elf-unreadable`. */
export function symbolsOf(bytes: Uint8Array, names: readonly string[]): Map<string, number> {
  const view = viewOf(bytes);
  const headers = headersOf(bytes);
  const table = headers.find(({ type }) => type === SYMBOL_TABLE);
  const found = new Map<string, number>();
  if (!table) return found;
  const texts = headers[table.link];
  const count = Math.floor(table.size / SYMBOL_SIZE);
  if (!texts || count > MAX_SYMBOLS || table.offset + table.size > bytes.length)
    throw unreadable(`${count} symbols at ${table.offset}, names in section ${table.link}`);
  const wanted = names.map((name) => ({ name, text: Buffer.from(`${name}\0`, "latin1") }));
  for (let at = table.offset; at < table.offset + count * SYMBOL_SIZE; at += SYMBOL_SIZE) {
    const from = texts.offset + view.getUint32(at, true);
    for (const { name, text } of wanted)
      if (text.equals(bytes.subarray(from, from + text.length)))
        found.set(name, view.getUint32(at + 4, true));
  }
  return found;
}

function headersOf(bytes: Uint8Array): Header[] {
  const view = viewOf(bytes);
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
  return Array.from({ length: count }, (_, i) => ({
    name: nameAt(bytes, namesAt + field(i, 0)),
    type: field(i, 4),
    address: field(i, 12),
    offset: field(i, 16),
    size: field(i, 20),
    link: field(i, 24),
  }));
}

function viewOf(bytes: Uint8Array): DataView {
  if (bytes.length < HEADER_SIZE || Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "\x7fELF")
    throw unreadable("no ELF header");
  if (bytes[4] !== 1 || bytes[5] !== 1) throw unreadable("not 32 bit, little-endian");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
