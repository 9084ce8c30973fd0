// Finds Improv frames (improv.ts) in what arrives on a UART that carries text as well, and hands on the rest as it came.

import { checksum, HEADER, MAX_DATA } from "./improv.js";

const HEAD = HEADER.length + 2; // up to and with the length
const CR = 0x0d;
const LF = 0x0a;

export interface ImprovListener {
  /** A byte that belongs to no frame. */
  onText(byte: number): void;
  /** A whole frame whose checksum is right. `data` is the listener's own. */
  onFrame(type: number, data: Uint8Array): void;
  /** Something that began as a frame: its checksum is wrong, or its end never came. */
  onBadFrame(): void;
}

/**
 * Holds back what may be the beginning of a frame, at most 265 bytes, and only while it may. In a frame that was no good it
 * looks for the beginning of the next one: bytes lost on the wire cost the frame they were lost from.
 */
export class ImprovParser {
  private readonly listener: ImprovListener;
  private matched = 0; // bytes of HEADER, while `frame` is undefined
  private frame: Uint8Array | undefined; // from the whole header on
  private filled = 0;
  private afterFrame = false;

  constructor(listener: ImprovListener) {
    this.listener = listener;
  }

  /** True while bytes are held back: `idle` is due when no more come. */
  get holds(): boolean {
    return this.matched > 0 || this.frame !== undefined;
  }

  push(byte: number): void {
    const closing = this.afterFrame && (byte === LF || byte === CR);
    this.afterFrame = false;
    if (closing) return; // the newline of the frame is nobody's Enter
    if (!this.frame) return this.match(byte);
    this.frame[this.filled] = byte;
    this.filled += 1;
    this.advance();
  }

  /** Nothing came for a while: what is held was typed, or is half a frame. */
  idle(): void {
    if (this.frame) {
      this.frame = undefined;
      this.listener.onBadFrame();
    } else this.release();
  }

  private match(byte: number): void {
    if (byte !== HEADER[this.matched]) this.release();
    if (byte !== HEADER[this.matched]) return this.listener.onText(byte);
    this.matched += 1;
    if (this.matched < HEADER.length) return;
    this.matched = 0;
    this.frame = new Uint8Array(HEAD + MAX_DATA + 1);
    this.frame.set(HEADER);
    this.filled = HEADER.length;
  }

  private release(): void {
    const { matched } = this;
    this.matched = 0;
    for (let i = 0; i < matched; i += 1) this.listener.onText(HEADER[i]!);
  }

  /** Takes frames out of what is there, as long as there are any. */
  private advance(): void {
    for (let { frame } = this; frame; frame = this.frame) {
      if (this.filled < HEAD) return;
      const end = HEAD + frame[HEAD - 1]!;
      if (this.filled <= end) return;
      const good = frame[end] === checksum(frame, end);
      if (good) this.listener.onFrame(frame[HEADER.length]!, frame.slice(HEAD, end));
      else this.listener.onBadFrame();
      this.afterFrame = good && this.filled === end + 1;
      this.restart(frame, good ? end + 1 : 1);
    }
  }

  /** Goes on with what lies behind `from`: the next frame, or the beginning of one. Other bytes there were the bad frame's. */
  private restart(frame: Uint8Array, from: number): void {
    for (let at = from; at < this.filled; at += 1) {
      let same = 0;
      while (same < HEADER.length && at + same < this.filled && frame[at + same] === HEADER[same]) same += 1;
      if (same < HEADER.length && at + same < this.filled) continue;
      if (same === HEADER.length) {
        frame.copyWithin(0, at, this.filled);
        this.filled -= at;
        return;
      }
      this.matched = same;
      break;
    }
    this.frame = undefined;
  }
}
