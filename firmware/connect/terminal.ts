// The UART as its two kinds of users share it: a person, who reads text and types lines, and a program that speaks Improv.

import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import type { Console, Timer } from "../device/types.js";
import { ImprovParser } from "../protocol/improv-parser.js";
import type { ImprovListener } from "../protocol/improv-parser.js";
import { LineEditor } from "./line-editor.js";
import type { EchoListener } from "./line-editor.js";

const LF = 0x0a;
const CR = 0x0d;
/** The bytes of a frame follow each other; what begins like one and goes on after this was typed. */
const FRAME_GAP_MS = 100;

export interface Question {
  prompt: string;
  /** The line is a secret. */
  hidden?: boolean;
  /** How long nothing may be typed at first, and later. */
  firstMs: number;
  idleMs: number;
}

/** Who asked. */
export interface LineListener {
  /**
   * The line, or undefined: Ctrl-C, `cancel`, or nothing typed for too long. Text that is no UTF-8 reads as "". Called once for each
   * question, with nothing else on the stack.
   */
  onLine(line: string | undefined): void;
}

export interface EnterListener {
  /** Bytes may still be on their way to others: what follows begins in a turn of its own. */
  onEnter(): void;
}

export interface FrameListener {
  /** A frame of Improv; without data: a damaged one. */
  onFrame(type: number, data?: Uint8Array): void;
}

interface Asked {
  question: Question;
  listener: LineListener;
  editor: LineEditor;
  limit: unknown;
}

export class Terminal implements ImprovListener, EchoListener {
  /** Told of a line that was entered while nobody asked for one. */
  enter: EnterListener | undefined;
  private frames: FrameListener | undefined;
  /** A frame that came before anybody served them. */
  private early: { type: number; data: Uint8Array } | undefined;
  private readonly console: Console;
  private readonly timer: Timer;
  private readonly parser: ImprovParser;
  private gap: unknown;
  private asked: Asked | undefined;
  private afterCr = false;
  private midLine = false;

  constructor(console: Console, timer: Timer) {
    this.console = console;
    this.timer = timer;
    this.parser = new ImprovParser(this);
    console.listen((bytes) => this.take(bytes));
  }

  /** From now on `listener` gets every frame of Improv. */
  serveFrames(listener: FrameListener): void {
    const { early } = this;
    this.frames = listener;
    this.early = undefined;
    if (early) listener.onFrame(early.type, early.data);
  }

  print(text: string): void {
    if (text === "") return;
    this.console.write(encodeUtf8(text));
    this.midLine = text[text.length - 1] !== "\n";
  }

  /** Whole lines or frames, in between: what stands in an unfinished line is shown again behind them. */
  interject(bytes: Uint8Array): void {
    if (this.midLine) this.console.write(Uint8Array.of(LF));
    this.console.write(bytes);
    const { asked } = this;
    this.midLine = asked !== undefined;
    if (!asked) return;
    this.print(asked.question.prompt);
    this.console.write(asked.editor.shown);
    this.midLine = true;
  }

  /** Asks for a line. One question at a time: an earlier one is cancelled. */
  ask(question: Question, listener: LineListener): void {
    this.cancel();
    this.print(question.prompt);
    const editor = new LineEditor(question.hidden === true, this);
    const limit = this.timer.set(() => this.end(undefined), question.firstMs);
    this.asked = { question, listener, editor, limit };
  }

  /** Whoever asked for a line gets undefined. */
  cancel(): void {
    if (this.asked) this.end(undefined);
  }

  onEcho(bytes: Uint8Array): void {
    const { asked, timer } = this;
    this.console.write(bytes);
    timer.clear(asked!.limit);
    asked!.limit = timer.set(() => this.end(undefined), asked!.question.idleMs);
  }

  /** What follows begins on an empty stack: it holds 256 slots, and a byte from the UART comes by way of 100. */
  private end(line: string | undefined): void {
    const { limit, listener } = this.asked!;
    this.timer.clear(limit);
    this.asked = undefined;
    this.print("\n");
    void Promise.resolve().then(() => listener.onLine(line));
  }

  private take(bytes: Uint8Array): void {
    const { parser, timer } = this;
    for (let i = 0; i < bytes.length; i += 1) parser.push(bytes[i]!);
    timer.clear(this.gap);
    this.gap = parser.holds ? timer.set(() => parser.idle(), FRAME_GAP_MS) : undefined;
  }

  onText(byte: number): void {
    const second = byte === LF && this.afterCr;
    this.afterCr = byte === CR;
    if (second) return;
    const { asked } = this;
    if (!asked) {
      if (byte === CR || byte === LF) this.enter?.onEnter();
      return;
    }
    const event = asked.editor.push(byte);
    if (event === "done") this.end(textOf(asked.editor.bytes));
    else if (event === "cancelled") this.end(undefined);
  }

  onFrame(type: number, data: Uint8Array): void {
    if (this.frames) this.frames.onFrame(type, data);
    else this.early = { type, data };
  }

  onBadFrame(): void {
    this.frames?.onFrame(0);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return "";
  }
}
