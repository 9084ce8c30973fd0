// Writes small ELF files (System V ABI; 32 bit, little-endian): for parsers that read what linkers make.

export interface WrittenSection {
  readonly name: string;
  readonly type?: number;
  readonly flags?: number;
  readonly address?: number;
  readonly size?: number; // bytes; default: of `bytes`
  readonly link?: number;
  readonly bytes?: Uint8Array;
}

export interface WrittenSymbol {
  readonly name: string;
  readonly value: number;
  readonly size?: number;
  /** 2: a function. */
  readonly type?: number;
}

/** Header, contents, section table; `machine` is e_machine. */
export function elfFile(
  sections: readonly WrittenSection[],
  symbols: readonly WrittenSymbol[] = [],
  machine = 0,
): Uint8Array {
  const all: WrittenSection[] = [{ name: "", type: 0 }, ...sections];
  all.push({ name: ".symtab", type: 2, link: all.length + 1, bytes: symbolTable(symbols) });
  all.push({ name: ".strtab", bytes: Buffer.from(`\0${symbols.map(({ name }) => name).join("\0")}\0`) });
  const names = [...all.map(({ name }) => name), ".shstrtab"];
  all.push({ name: ".shstrtab", bytes: Buffer.from(`${names.join("\0")}\0`) });
  const contents = Buffer.concat(all.map(({ bytes }) => bytes ?? new Uint8Array(0)));
  const table = 52 + contents.length;
  const bytes = new Uint8Array(table + 40 * all.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1]);
  bytes.set(contents, 52);
  view.setUint16(18, machine, true);
  view.setUint32(32, table, true);
  [40, all.length, all.length - 1].forEach((value, i) => view.setUint16(46 + 2 * i, value, true));
  let [name, offset] = [0, 52];
  all.forEach((section, i) => {
    const { type = 1, flags = 0, address = 0, size = section.bytes?.length ?? 0, link = 0 } = section;
    const fields = [name, type, flags, address, offset, size, link];
    fields.forEach((value, n) => view.setUint32(table + 40 * i + 4 * n, value, true));
    name += section.name.length + 1;
    offset += section.bytes?.length ?? 0;
  });
  return bytes;
}

function symbolTable(symbols: readonly WrittenSymbol[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * (symbols.length + 1))); // the first is none
  let at = 1;
  symbols.forEach(({ name, value, size = 0, type = 0 }, i) => {
    [at, value, size].forEach((word, n) => view.setUint32(16 * (i + 1) + 4 * n, word, true));
    view.setUint8(16 * (i + 1) + 12, 0x10 | type);
    at += name.length + 1;
  });
  return new Uint8Array(view.buffer);
}
