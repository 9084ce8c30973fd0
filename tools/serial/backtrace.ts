// Names for the addresses of a native crash: functions of the program's ELF file, files and lines by the toolchain's addr2line.

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { Functions, type Place } from "../elf/functions.js";
import { findAddr2line, linesOf, usualName } from "./addr2line.js";
import { CrashReader, type Core, type Mention } from "./native-crash.js";

const MAX_ELF_SIZE = 256 << 20; // bytes
/** Ways back that are shown of one dump of a stack. */
const MAX_FROM_STACK = 24;
/** Crashes that wait for addr2line: a board in a boot loop says more than that takes. */
const MAX_WAITING = 50;

export interface BacktraceOptions {
  /** The ELF file of what runs on such a core, where one is at hand. */
  elfOf(core: Core): string | undefined;
  /** A line of ours. */
  note(text: string): void;
  /** PATH, where addr2line is looked for. */
  path?: string;
}

interface Program {
  readonly path: string;
  readonly functions: Functions;
  readonly sha256: string;
}

interface Named extends Mention {
  readonly place: Place | undefined;
}

export class Backtraces {
  private readonly options: BacktraceOptions;
  private readonly reader = new CrashReader();
  private readonly programs = new Map<Core, Program | undefined>();
  private readonly said = new Set<string>();
  private latest: Program | undefined;
  private fromStack = 0;
  private waiting = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(options: BacktraceOptions) {
    this.options = options;
  }

  /** A line of the board. What it names is noted later, in order. */
  line(text: string): void {
    const { mentions, elfSha256 } = this.reader.line(text);
    if (elfSha256 !== undefined) this.compare(elfSha256);
    const [first] = mentions;
    if (!first) return;
    const program = this.programOf(first.core);
    if (!program) return;
    this.latest = program;
    if (!first.maybe) this.fromStack = 0;
    const named = mentions
      .filter(({ maybe, address }) => !maybe || program.functions.isBehindCall(address))
      .map((mention) => ({ ...mention, place: program.functions.at(mention.address) }))
      .filter(({ maybe }) => !maybe || (this.fromStack += 1) <= MAX_FROM_STACK);
    if (named.length === 0 || this.waiting >= MAX_WAITING) return;
    this.waiting += 1;
    this.queue = this.queue.then(async () => {
      await this.tell(program, named);
      this.waiting -= 1;
    });
  }

  /** When all that was said has been noted. */
  async end(): Promise<void> {
    await this.queue;
  }

  private async tell(program: Program, named: readonly Named[]): Promise<void> {
    const known = named.filter(({ place }) => place !== undefined);
    const lines = await this.lines(program, known);
    for (const one of named) {
      const { label, address, place } = one;
      const where = (lines.get(one) ?? []).map((line, i) => (i === 0 ? `, ${line}` : `, inlined at ${line}`));
      const what = place
        ? `${place.name} + 0x${place.offset.toString(16)}${where.join("")}`
        : "no function of this program";
      this.options.note(`${label} 0x${address.toString(16).padStart(8, "0")}: ${what}`);
    }
  }

  /** Of each mention the places of its line, where they can be had. */
  private async lines(program: Program, known: readonly Named[]): Promise<Map<Named, string[]>> {
    const found = new Map<Named, string[]>();
    if (known.length === 0) return found;
    const { core } = known[0]!;
    const tool = findAddr2line(core, this.options.path);
    if (tool === undefined) {
      this.once(`for files and lines, ${usualName(core)} must be in PATH`);
      return found;
    }
    try {
      const places = await linesOf(tool, program.path, known.map(atItsCall));
      known.forEach((one, i) => found.set(one, places[i]!));
      if (places.every((lines) => lines.length === 0))
        this.once(`no files and lines: ${program.path} has no debug information for this`);
    } catch (error) {
      this.once(`no files and lines: ${(error as Error).message.split("\n")[0]}`);
    }
    return found;
  }

  /** Read once; undefined where there is none, which is told once. */
  private programOf(core: Core): Program | undefined {
    if (this.programs.has(core)) return this.programs.get(core);
    let program: Program | undefined;
    const path = this.options.elfOf(core);
    if (path === undefined)
      this.once("no names for these addresses: give the ELF file of the firmware with --elf FILE");
    else
      try {
        program = read(path);
      } catch (error) {
        this.once(`no names for these addresses: ${path}: ${(error as Error).message}`);
      }
    this.programs.set(core, program);
    return program;
  }

  /** `beginning`: of the SHA-256 that the firmware says its ELF file has. */
  private compare(beginning: string): void {
    const { latest: program } = this;
    if (program === undefined || program.sha256.startsWith(beginning)) return;
    const found = program.sha256.slice(0, beginning.length);
    const why = `the firmware's ELF file has SHA-256 ${beginning}..., ${program.path} ${found}...`;
    this.queue = this.queue.then(() => this.once(`these names are of another build: ${why}`));
  }

  private once(text: string): void {
    if (this.said.has(text)) return;
    this.said.add(text);
    this.options.note(text);
  }
}

/** Throws what reading throws, and `elf-unreadable`. */
function read(path: string): Program {
  if (statSync(path).size > MAX_ELF_SIZE) throw new Error(`larger than ${MAX_ELF_SIZE >> 20} MiB`);
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, functions: new Functions(bytes), sha256 };
}

/** The way back leads behind the call, perhaps to another line; a backtrace of the ESP32 has it corrected already. */
function atItsCall({ label, maybe, address }: Mention): number {
  return maybe || label === "RA" ? address - 1 : address;
}
