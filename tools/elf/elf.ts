// What an ELF file says of its sections and symbols (System V ABI, "Sections", "Symbol Table"; 32 bit, little-endian, as all
// toolchains of these chips write it). Pure.

import { BroomeError } from "../error.js";

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number; // bytes
}

/** A section's header: where its bytes lie in the file. */
export interface Header extends Section {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly link: number;
}

export interface ElfSymbol {
  readonly name: string; // at most 255 bytes of it
  readonly value: number;
  readonly size: number; // bytes; 0 where the assembler was not told
  readonly type: number;
}

/** Values of e_machine (registry of the System V ABI). */
export const MACHINE_XTENSA = 94;
export const MACHINE_RISCV = 243;
/** Kinds of section (sh_type) and their flags (sh_flags). */
export const SHT_NOBITS = 8;
export const SHF_EXECINSTR = 4;
/** A symbol that is a function (st_info). */
export const STT_FUNC = 2;

const HEADER_SIZE = 52;
const SECTION_HEADER_SIZE = 40;
const MAX_SECTIONS = 512;
const SYMBOL_SIZE = 16;
const MAX_SYMBOLS = 200_000;
const SYMBOL_TABLE = 2; // SHT_SYMTAB
const MAX_NAME = 255; // bytes

/** Sections that are loaded or made at start (they have an address). Throws `elf-unreadable`. */
export function sectionsOf(bytes: Uint8Array): Section[] {
  return headersOf(bytes)
    .filter(({ address, size }) => address > 0 && size > 0)
    .map(({ name, address, size }) => ({ name, address, size }));
}

/** Values of the symbols of these names; one that the file does not have is left out. Throws `elf-unreadable`. */
export function symbolsOf(bytes: Uint8Array, names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name, value } of allSymbols(bytes)) if (names.includes(name)) found.set(name, value);
  return found;
}

/** Every symbol, in the file's order. Throws `elf-unreadable`. */
export function* allSymbols(bytes: Uint8Array): Generator<ElfSymbol> {
  const view = viewOf(bytes);
  const headers = headersOf(bytes);
  const table = headers.find(({ type }) => type === SYMBOL_TABLE);
  if (!table) return;
  const texts = headers[table.link];
  const count = Math.floor(table.size / SYMBOL_SIZE);
  if (!texts || count > MAX_SYMBOLS || table.offset + table.size > bytes.length)
    throw unreadable(`${count} symbols at ${table.offset}, names in section ${table.link}`);
  for (let at = table.offset; at < table.offset + count * SYMBOL_SIZE; at += SYMBOL_SIZE) {
    const [value, size] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
    const name = textAt(bytes, texts.offset + view.getUint32(at, true)) ?? "";
    yield { name, value, size, type: bytes[at + 12]! & 15 };
  }
}

/** What the program was compiled for: e_machine. Throws `elf-unreadable`. */
export function machineOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint16(18, true);
}

/** Every section, loaded or not. Throws `elf-unreadable`. */
export function headersOf(bytes: Uint8Array): Header[] {
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
    flags: field(i, 8),
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
  const name = textAt(bytes, at);
  if (name !== undefined && name.length < MAX_NAME) return name;
  throw unreadable("a section's name has no end");
}

/** The text that begins at `at`, up to its zero and at most MAX_NAME of it; undefined where it lies outside. */
function textAt(bytes: Uint8Array, at: number): string | undefined {
  if (at >= bytes.length) return undefined;
  const most = bytes.subarray(at, at + MAX_NAME);
  const end = most.indexOf(0);
  return Buffer.from(end < 0 ? most : most.subarray(0, end)).toString("latin1");
}

function unreadable(why: string): BroomeError {
  return new BroomeError(
    "elf-unreadable",
    `the linked program is not what was expected: ${why}`,
    "Build again, or name the ELF file of a build.",
  );
}
