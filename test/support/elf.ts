// An ELF file with sections and symbols (System V ABI; 32 bit, little-endian), for tests of whatever reads linked programs.

import type { Section } from "../../tools/sdk/elf.js";

interface Written {
  readonly name: string;
  readonly type?: number;
  readonly address?: number;
  readonly size?: number;
  readonly link?: number;
  readonly bytes?: Uint8Array;
}

/** An ELF of these sections and symbols: header, contents, section table. */
export function elf(
  sections: readonly Section[],
  symbols: Readonly<Record<string, number>> = {},
): Uint8Array {
  const names = Object.keys(symbols);
  const all: Written[] = [{ name: "" }, ...sections];
  all.push({ name: ".symtab", type: 2, link: all.length + 1, bytes: symbolTable(names, symbols) });
  all.push({ name: ".strtab", bytes: Buffer.from(`\0${names.join("\0")}\0`) });
  all.push({
    name: ".shstrtab",
    bytes: Buffer.from(`${[...all.map(({ name }) => name), ".shstrtab"].join("\0")}\0`),
  });
  const contents = Buffer.concat(all.map(({ bytes }) => bytes ?? new Uint8Array(0)));
  const table = 52 + contents.length;
  const bytes = new Uint8Array(table + 40 * all.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1]);
  bytes.set(contents, 52);
  view.setUint32(32, table, true);
  [40, all.length, all.length - 1].forEach((value, i) => view.setUint16(46 + 2 * i, value, true));
  let [name, offset] = [0, 52];
  all.forEach((section, i) => {
    const { type = 1, address = 0, size = section.bytes?.length ?? 0, link = 0 } = section;
    const fields = [name, type, 0, address, offset, size, link];
    fields.forEach((value, n) => view.setUint32(table + 40 * i + 4 * n, value, true));
    name += section.name.length + 1;
    offset += section.bytes?.length ?? 0;
  });
  return bytes;
}

function symbolTable(names: readonly string[], values: Readonly<Record<string, number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * (names.length + 1))); // the first is none
  let at = 1;
  names.forEach((name, i) => {
    view.setUint32(16 * (i + 1), at, true);
    view.setUint32(16 * (i + 1) + 4, values[name]!, true);
    at += name.length + 1;
  });
  return new Uint8Array(view.buffer);
}
