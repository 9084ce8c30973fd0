// Addresses in what a chip says when native code has crashed: ESP-IDF's panic handler (components/esp_system/panic.c and
// port/arch/*/panic_arch.c, "Fatal Errors" in its guide), the ESP8266's SDK ("Fatal exception") and Arduino core. Pure.

/** The kind of core that said it. */
export type Core = "esp32" | "riscv" | "esp8266";

export interface Mention {
  readonly core: Core;
  /** "#0", "MEPC", "epc1", "abort" */
  readonly label: string;
  readonly address: number;
  /** A word of the stack: perhaps the way back from a call, perhaps anything else. */
  readonly maybe: boolean;
}

export interface Said {
  readonly mentions: readonly Mention[];
  /** The beginning, at least 9 hex digits, of the SHA-256 of the ELF file that the firmware was linked to. */
  readonly elfSha256?: string;
}

const MAX_FRAMES = 100; // of a backtrace: ESP-IDF prints as many
const MAX_STACK_WORDS = 4096;
const MAX_EPCS = 3;
const NOTHING: Said = { mentions: [] };

const BACKTRACE = /^Backtrace:\s*(0x[0-9a-f]{1,8}:0x[0-9a-f]{1,8}\b.*)$/i;
const FRAME = /\b0x([0-9a-f]{1,8}):0x[0-9a-f]{1,8}/gi;
const ABORT = /\babort\(\) was called at PC 0x([0-9a-f]{1,8})\b/;
const RISCV_REGISTERS = /^MEPC\s*: 0x([0-9a-f]{1,8})\s+RA\s*: 0x([0-9a-f]{1,8})\b/;
const RISCV_STACK = "Stack memory:";
const RISCV_WORDS = /^[0-9a-f]{8}:((?: 0x[0-9a-f]{8})+)$/;
const EPC = /\bepc([123])=0x([0-9a-f]{1,8})\b/g;
const ESP8266_STACK = ">>>stack>>>";
const ESP8266_STACK_END = "<<<stack<<<";
const ESP8266_WORDS = /^[0-9a-f]{8}: ((?: [0-9a-f]{8})+)(?: <)?$/;
const ELF_SHA256 = /\bELF file SHA256: +([0-9a-f]{8,64})\b/;

export class CrashReader {
  private stack: Core | undefined;
  private words = 0;
  /** The line does not say which core it is; the next one does. */
  private abort: string | undefined;

  /** A line that the chip has said. */
  line(text: string): Said {
    const line = text.trim();
    if (this.stack !== undefined) {
      const words = this.stackWords(line);
      if (words) return { mentions: words };
    }
    if (this.begins(line)) return NOTHING;
    this.abort = ABORT.exec(line)?.[1] ?? this.abort;
    const mentions = mentionsIn(line);
    if (this.abort !== undefined && mentions.length > 0) {
      mentions.unshift(mention(mentions[0]!.core, "abort()", this.abort));
      this.abort = undefined;
    }
    const elf = ELF_SHA256.exec(line);
    return { mentions, ...(elf && { elfSha256: elf[1]! }) };
  }

  /** Does a dump of the stack begin here? */
  private begins(line: string): boolean {
    if (line === RISCV_STACK) this.stack = "riscv";
    else if (line === ESP8266_STACK) this.stack = "esp8266";
    else return false;
    this.words = 0;
    return true;
  }

  /** Undefined where the line is none of the dump. */
  private stackWords(line: string): Mention[] | undefined {
    const core = this.stack!;
    const match = (core === "riscv" ? RISCV_WORDS : ESP8266_WORDS).exec(line);
    if (!match) {
      if (core === "riscv" ? line !== "" : line === ESP8266_STACK_END) this.stack = undefined;
      return undefined;
    }
    const words = match[1]!.trim().split(/ +/);
    this.words += words.length;
    if (this.words > MAX_STACK_WORDS) this.stack = undefined;
    return words.map((word) => ({ ...mention(core, "stack", word), maybe: true }));
  }
}

/** What a line outside a dump names. */
function mentionsIn(line: string): Mention[] {
  const backtrace = BACKTRACE.exec(line);
  if (backtrace) {
    const frames = [...backtrace[1]!.matchAll(FRAME)].slice(0, MAX_FRAMES);
    return frames.map(([, address], i) => mention("esp32", `#${i}`, address!));
  }
  const registers = RISCV_REGISTERS.exec(line);
  if (registers) return ["MEPC", "RA"].map((name, i) => mention("riscv", name, registers[i + 1]!));
  return [...line.matchAll(EPC)]
    .map(([, number, address]) => mention("esp8266", `epc${number}`, address!))
    .filter(({ label, address }) => label === "epc1" || address !== 0)
    .slice(0, MAX_EPCS);
}

function mention(core: Core, label: string, address: string): Mention {
  return { core, label, address: parseInt(address, 16), maybe: false };
}
