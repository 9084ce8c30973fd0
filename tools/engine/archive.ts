// Reads the engine's archives: atoms as in XS's archives (c/archive.c tells the layout). Pure.
import { BroomeError } from "../error.js";

/** Facts of an archive; offsets and sizes in bytes from the archive's beginning. */
export interface ArchiveInfo {
  /** Bytes of the archive itself; what follows is not part of it. */
  size: number;
  /** XS version and layout, for example "13.3.0/1". */
  version: string;
  /** Identity of the engine's root symbols, 16 bytes. */
  rootHash: Uint8Array;
  symbols: string[];
  preload: string[];
  modules: { name: string; offset: number; size: number }[];
  resources: { name: string; offset: number; size: number }[];
}

interface Atom {
  start: number;
  end: number;
}

/** Parses and checks the structure of an archive. Throws BroomeError `archive-invalid`. */
export function readArchive(bytes: Uint8Array): ArchiveInfo {
  const reader = new AtomReader(bytes);
  const top = reader.take(0, bytes.length, "BXSA");
  let at = top.start;
  const next = (type: string): Atom => {
    const atom = reader.take(at, top.end, type);
    at = atom.end;
    return atom;
  };
  const version = reader.data(next("VERS"), 4);
  const rootHash = reader.data(next("ROOT"), 16).slice();
  const symbols = reader.names(next("SYMB"));
  const preload = reader.names(next("PREL"));
  const modules = reader.pairs(next("MODS"), "CODE");
  const resources = reader.pairs(next("RSRC"), "DATA");
  if (at !== top.end) throw invalid("atoms after RSRC");
  const text = `${version[0]}.${version[1]}.${version[2]}/${version[3]}`;
  return { size: top.end, version: text, rootHash, symbols, preload, modules, resources };
}

function invalid(what: string): BroomeError {
  return new BroomeError("archive-invalid", `Not a valid archive: ${what}`, "Build the firmware again.");
}

class AtomReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(at: number, end: number, type: string): Atom {
    if (end - at < 8) throw invalid(`no atom ${type} at ${at}`);
    const size = this.view.getUint32(at);
    if (size < 8 || size > end - at) throw invalid(`atom ${type} at ${at} has the size ${size}`);
    const found = String.fromCharCode(...this.bytes.subarray(at + 4, at + 8));
    if (found !== type) throw invalid(`no atom ${type} at ${at}`);
    return { start: at + 8, end: at + size };
  }

  data(atom: Atom, size: number): Uint8Array {
    if (atom.end - atom.start !== size)
      throw invalid(`${atom.end - atom.start} bytes at ${atom.start}, not ${size}`);
    return this.bytes.subarray(atom.start, atom.end);
  }

  names(atom: Atom): string[] {
    if (atom.end - atom.start < 2) throw invalid(`no names at ${atom.start}`);
    const count = this.view.getUint16(atom.start, true);
    const names: string[] = [];
    let at = atom.start + 2;
    for (let i = 0; i < count; i++) {
      const zero = this.bytes.indexOf(0, at);
      if (zero <= at || zero >= atom.end) throw invalid(`bad name at ${at}`);
      names.push(new TextDecoder().decode(this.bytes.subarray(at, zero)));
      at = zero + 1;
    }
    if (at !== atom.end) throw invalid(`bytes after the names at ${at}`);
    return names;
  }

  pairs(atom: Atom, type: string): { name: string; offset: number; size: number }[] {
    const pairs: { name: string; offset: number; size: number }[] = [];
    let at = atom.start;
    while (at < atom.end) {
      const path = this.take(at, atom.end, "PATH");
      const body = this.take(path.end, atom.end, type);
      const last = type === "CODE" ? this.take(body.end, atom.end, "LINE") : body;
      const zero = this.bytes.indexOf(0, path.start);
      if (zero <= path.start || zero >= path.end) throw invalid(`bad path at ${path.start}`);
      if (this.bytes.subarray(zero, path.end).some((byte) => byte !== 0))
        throw invalid(`bad path at ${path.start}`);
      if (type === "DATA" && body.start & 3) throw invalid(`data at ${body.start} is not aligned`);
      const name = new TextDecoder().decode(this.bytes.subarray(path.start, zero));
      pairs.push({ name, offset: body.start, size: body.end - body.start });
      at = last.end;
    }
    return pairs;
  }
}
