// One line typed on a terminal: bounded, edited as on any terminal (ECMA-48 cursor keys, Emacs' control keys), and hidden where
// it is a secret.

export const MAX_LINE = 160; // bytes

const BACKSPACE = 0x08;
const DELETE = 0x7f;
const ESCAPE = 0x1b;
const CR = 0x0d;
const LF = 0x0a;
const TILDE = 0x7e;
const BRACKET = 0x5b;

export type LineEvent = "typing" | "done" | "cancelled";

export interface EchoListener {
  /** What the terminal shall show; valid during the call. */
  onEcho(bytes: Uint8Array): void;
}

export class LineEditor {
  private readonly hidden: boolean;
  private readonly listener: EchoListener;
  private readonly line = new Uint8Array(MAX_LINE);
  private length = 0;
  private cursor = 0; // byte before which a character goes
  private missing = 0; // bytes of the character that is being typed
  /** Bytes of an escape sequence so far, its parameter. */
  private escape = 0;
  private parameter = 0;

  constructor(hidden: boolean, listener: EchoListener) {
    this.hidden = hidden;
    this.listener = listener;
  }

  /** The line so far. */
  get bytes(): Uint8Array {
    return this.line.subarray(0, this.length);
  }

  /** What the line looks like: a secret is as many stars as it has characters. */
  get shown(): Uint8Array {
    return this.look(0, this.length);
  }

  /** CR ends the line and so does LF; of a CR LF the caller skips the LF that opens the next line. */
  push(byte: number): LineEvent {
    if (this.escape > 0 && byte >= 0x20) {
      this.sequence(byte);
      return "typing";
    }
    this.escape = 0; // a control key ends a sequence that was none
    if (byte === CR || byte === LF) return "done";
    else if (byte === 0x03)
      return "cancelled"; // Ctrl-C
    else if (byte === ESCAPE) this.escape = 1;
    else if (byte === BACKSPACE || byte === DELETE) this.erase(this.before());
    else if (byte === 0x01)
      this.moveTo(0); // Ctrl-A
    else if (byte === 0x05)
      this.moveTo(this.length); // Ctrl-E
    else if (byte === 0x15)
      this.erase(0); // Ctrl-U
    else if (byte === 0x17)
      this.erase(this.word()); // Ctrl-W
    else if (byte >= 0x20 && this.length < MAX_LINE) this.insert(byte);
    return "typing";
  }

  /** ESC [ parameter final, or ESC and one byte; anything longer than a key sends ends it too. */
  private sequence(byte: number): void {
    this.escape += 1;
    if (this.escape === 2) {
      this.parameter = 0;
      if (byte !== BRACKET && byte !== 0x4f) this.escape = 0;
      return;
    }
    if (byte >= 0x30 && byte <= 0x39 && this.escape < 8) {
      this.parameter = byte - 0x30;
      return;
    }
    this.escape = 0;
    const { parameter } = this;
    const vt = byte === TILDE;
    if (byte === 0x44) this.moveTo(this.before());
    else if (byte === 0x43) this.moveTo(this.after());
    else if (byte === 0x48 || (vt && (parameter === 1 || parameter === 7))) this.moveTo(0);
    else if (byte === 0x46 || (vt && (parameter === 4 || parameter === 8))) this.moveTo(this.length);
    else if (vt && parameter === 3 && this.cursor < this.length) {
      const next = this.after();
      this.moveTo(next);
      this.erase(this.before());
    }
  }

  /** A character of several bytes is shown when it is whole: in between, the rest of the line may follow. */
  private insert(byte: number): void {
    this.line.copyWithin(this.cursor + 1, this.cursor, this.length);
    this.line[this.cursor] = byte;
    this.length += 1;
    this.cursor += 1;
    if (byte >= 0xc0) this.missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    else this.missing = isContinuation(byte) ? Math.max(0, this.missing - 1) : 0;
    if (this.missing > 0) return;
    this.listener.onEcho(this.look(this.before(), this.cursor));
    if (this.cursor < this.length) this.redrawTail(0);
  }

  /** Takes away what lies between `from` and the cursor; a character of UTF-8 goes as a whole. */
  private erase(from: number): void {
    if (from >= this.cursor) return;
    const columns = this.columns(from, this.cursor);
    this.back(columns);
    this.line.copyWithin(from, this.cursor, this.length);
    this.length -= this.cursor - from;
    this.cursor = from;
    this.redrawTail(columns);
  }

  /** What stands behind the cursor, then blanks, then back again. */
  private redrawTail(blanks: number): void {
    const tail = this.look(this.cursor, this.length);
    if (tail.length > 0) this.listener.onEcho(tail);
    if (blanks > 0) this.listener.onEcho(new Uint8Array(blanks).fill(0x20));
    this.back(this.columns(this.cursor, this.length) + blanks);
  }

  private moveTo(at: number): void {
    if (at < this.cursor) this.back(this.columns(at, this.cursor));
    else if (at > this.cursor) this.listener.onEcho(this.look(this.cursor, at));
    this.cursor = at;
  }

  private back(columns: number): void {
    if (columns > 0) this.listener.onEcho(new Uint8Array(columns).fill(BACKSPACE));
  }

  private before(): number {
    let at = this.cursor;
    if (at === 0) return 0;
    do at -= 1;
    while (at > 0 && isContinuation(this.line[at]!));
    return at;
  }

  private after(): number {
    let at = this.cursor;
    if (at === this.length) return at;
    do at += 1;
    while (at < this.length && isContinuation(this.line[at]!));
    return at;
  }

  private word(): number {
    let at = this.cursor;
    while (at > 0 && this.line[at - 1] === 0x20) at -= 1;
    while (at > 0 && this.line[at - 1] !== 0x20) at -= 1;
    return at;
  }

  private columns(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to; at += 1) if (!isContinuation(this.line[at]!)) count += 1;
    return count;
  }

  private look(from: number, to: number): Uint8Array {
    return this.hidden ? new Uint8Array(this.columns(from, to)).fill(0x2a) : this.line.subarray(from, to);
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
