// One line typed on a terminal: bounded, with backspace, and hidden where it is a secret.

export const MAX_LINE = 160; // bytes

const BACKSPACE = 0x08;
const DELETE = 0x7f;
const CANCEL = 0x03; // Ctrl-C
const CR = 0x0d;
const LF = 0x0a;

export type LineEvent = "typing" | "done" | "cancelled";

export class LineEditor {
  private readonly hidden: boolean;
  private readonly echo: (bytes: Uint8Array) => void;
  private readonly line = new Uint8Array(MAX_LINE);
  private length = 0;

  constructor(options: { hidden: boolean; echo(bytes: Uint8Array): void }) {
    this.hidden = options.hidden;
    this.echo = options.echo;
  }

  /** The line so far. */
  get bytes(): Uint8Array {
    return this.line.subarray(0, this.length);
  }

  /** CR ends the line and so does LF; of a CR LF the caller skips the LF that opens the next line. */
  push(byte: number): LineEvent {
    if (byte === CR || byte === LF) return "done";
    if (byte === CANCEL) return "cancelled";
    if (byte === BACKSPACE || byte === DELETE) this.erase();
    else if (byte >= 0x20 && this.length < MAX_LINE) {
      this.line[this.length] = byte;
      this.length += 1;
      if (!this.hidden) this.echo(Uint8Array.of(byte));
      else if (!isContinuation(byte)) this.echo(Uint8Array.of(0x2a));
    }
    return "typing";
  }

  /** A character of UTF-8 goes as a whole. */
  private erase(): void {
    if (this.length === 0) return;
    do this.length -= 1;
    while (this.length > 0 && isContinuation(this.line[this.length]!));
    this.echo(Uint8Array.of(BACKSPACE, 0x20, BACKSPACE));
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
