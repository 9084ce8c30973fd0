// Which function of a program an address lies in, and whether a call ends there: from its ELF file alone. Pure.
//
// Calls: "The RISC-V Instruction Set Manual", volume I, sections 2.5 (JAL, JALR) and 16.5 (C.JAL, C.JALR); "Xtensa Instruction Set
// Architecture", CALL0, CALLX0, CALL8, CALLX8 and their kin.

import {
  allSymbols,
  headersOf,
  MACHINE_RISCV,
  MACHINE_XTENSA,
  machineOf,
  SHF_EXECINSTR,
  SHT_NOBITS,
  STT_FUNC,
  type Header,
} from "./elf.js";

export interface Place {
  readonly name: string; // as the linker knows it
  readonly offset: number; // bytes from the function's first
}

interface Code {
  readonly start: number;
  readonly end: number; // address behind its last byte
  readonly bytes: Uint8Array;
}

interface Func {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export class Functions {
  readonly machine: number;
  private readonly code: readonly Code[];
  private readonly functions: readonly Func[]; // by start

  /** Of a whole ELF file. @throws BroomeError `elf-unreadable` */
  constructor(elf: Uint8Array) {
    this.machine = machineOf(elf);
    this.code = headersOf(elf).flatMap((header) => codeOf(header, elf));
    const starts = [...allSymbols(elf)]
      .filter(({ type, value }) => type === STT_FUNC && this.sectionAt(value) !== undefined)
      .sort((a, b) => a.value - b.value || a.size - b.size);
    this.functions = starts.map(({ name, value, size }, i) => {
      const behind = starts.slice(i + 1, i + 1 + MAX_TWINS).find((next) => next.value > value)?.value;
      const most = Math.min(behind ?? Infinity, this.sectionAt(value)!.end);
      return {
        name,
        start: value,
        end: size > 0 ? Math.min(value + size, this.sectionAt(value)!.end) : most,
      };
    });
  }

  /** Undefined: the address lies in no function of this program; in the chip's ROM, say. */
  at(address: number): Place | undefined {
    let [low, high] = [0, this.functions.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.functions[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.functions[low - 1];
    if (found === undefined || address >= found.end) return undefined;
    return { name: found.name, offset: address - found.start };
  }

  /** Does the instruction before `address` call something, so that a word of the stack may be its way back? */
  isBehindCall(address: number): boolean {
    if (this.at(address) === undefined) return false;
    if (this.machine === MACHINE_RISCV) return this.isBehindRiscvCall(address);
    if (this.machine === MACHINE_XTENSA) return isXtensaCall(this.read(address - 3, 3));
    return false;
  }

  private isBehindRiscvCall(address: number): boolean {
    const wide = this.read(address - 4, 4);
    if (wide !== undefined && isRiscvCall(wide)) return true;
    const narrow = this.read(address - 2, 2);
    return narrow !== undefined && isCompressedCall(narrow);
  }

  /** At most 4 bytes of code, little-endian; undefined where there is none. */
  private read(address: number, length: number): number | undefined {
    const section = this.sectionAt(address);
    if (section === undefined || address + length > section.end) return undefined;
    const at = address - section.start;
    return section.bytes.subarray(at, at + length).reduceRight((word, byte) => word * 256 + byte, 0);
  }

  private sectionAt(address: number): Code | undefined {
    return this.code.find(({ start, end }) => address >= start && address < end);
  }
}

/** Names of one function, at most so many; the others get no end of their own. */
const MAX_TWINS = 64;

function codeOf({ type, flags, address, offset, size }: Header, elf: Uint8Array): Code[] {
  const isCode = Math.floor(flags / SHF_EXECINSTR) % 2 === 1 && type !== SHT_NOBITS;
  if (!isCode || size === 0 || offset + size > elf.length) return [];
  return [{ start: address, end: address + size, bytes: elf.subarray(offset, offset + size) }];
}

/** JAL or JALR that leaves the way back in ra (x1) or t0 (x5). */
function isRiscvCall(word: number): boolean {
  const opcode = word & 0x7f;
  const rd = (word >>> 7) & 31;
  return (opcode === 0x6f || (opcode === 0x67 && ((word >>> 12) & 7) === 0)) && (rd === 1 || rd === 5);
}

/** C.JAL (RV32 alone) or C.JALR. */
function isCompressedCall(half: number): boolean {
  const isJal = (half & 3) === 1 && half >>> 13 === 1;
  const isJalr =
    (half & 3) === 2 && half >>> 12 === 9 && ((half >>> 7) & 31) !== 0 && ((half >>> 2) & 31) === 0;
  return isJal || isJalr;
}

/** CALLn: op0 = 5. CALLXn: op0 = 0, m = 3, and nothing but the register's number above. */
function isXtensaCall(word: number | undefined): boolean {
  if (word === undefined) return false;
  return (word & 15) === 5 || (word & 0xfff0cf) === 0x0000c0;
}
