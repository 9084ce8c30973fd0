// The UART as its two kinds of users share it: a person, who reads text and types lines, and a program that speaks Improv.

import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import type { Console, Timer } from "../device/types.js";
import { ImprovParser } from "../protocol/improv-parser.js";
import type { ImprovListener } from "../protocol/improv-parser.js";
import { LineEditor } from "./line-editor.js";

const LF = 0x0a;
const CR = 0x0d;
/** The bytes of a frame follow each other; what begins like one and goes on after this was typed. */
const FRAME_GAP_MS = 100;

interface Reader {
  prompt: string;
  editor: LineEditor;
  limit: unknown;
  end(line: string | undefined): void;
}

export class Terminal implements ImprovListener {
  /** A line was entered while nobody read one. */
  onEnter: (() => void) | undefined;
  private serve: ((type: number, data?: Uint8Array) => void) | undefined;
  /** A frame that came before anybody served them. */
  private early: { type: number; data: Uint8Array } | undefined;
  private endWait: (() => void) | undefined;
  private readonly console: Console;
  private readonly timer: Timer;
  private readonly parser: ImprovParser;
  private gap: unknown;
  private reader: Reader | undefined;
  private afterCr = false;
  private midLine = false;

  constructor(console: Console, timer: Timer) {
    this.console = console;
    this.timer = timer;
    this.parser = new ImprovParser(this);
    console.listen((bytes) => this.take(bytes));
  }

  /** From now on `serve` gets every frame of Improv; without data: a damaged one. */
  serveFrames(serve: (type: number, data?: Uint8Array) => void): void {
    const { early } = this;
    this.serve = serve;
    this.early = undefined;
    if (early) serve(early.type, early.data);
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
    const { reader } = this;
    this.midLine = reader !== undefined;
    if (!reader) return;
    this.print(reader.prompt);
    this.console.write(reader.editor.shown);
    this.midLine = true;
  }

  /** True as soon as Enter is pressed; false after `ms`. */
  waitForEnter(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (pressed: boolean) => {
        this.timer.clear(limit);
        this.onEnter = this.endWait = undefined;
        resolve(pressed);
      };
      const limit = this.timer.set(() => end(false), ms);
      this.onEnter = () => end(true);
      this.endWait = () => end(false);
    });
  }

  /** Whoever waits for Enter waits no longer. */
  stopWaiting(): void {
    this.endWait?.();
  }

  /** A line, or undefined: Ctrl-C, `cancel`, or nothing typed for `firstMs`, or later for `idleMs`. Text that is no UTF-8 reads as "". */
  readLine(options: {
    prompt: string;
    hidden?: boolean;
    firstMs: number;
    idleMs: number;
  }): Promise<string | undefined> {
    const { prompt, hidden = false, firstMs, idleMs } = options;
    this.cancel(); // one reader at a time
    this.print(prompt);
    return new Promise((resolve) => {
      const end = (line: string | undefined) => {
        this.timer.clear(reader.limit);
        this.reader = undefined;
        this.print("\n");
        resolve(line);
      };
      const reader: Reader = {
        prompt,
        editor: new LineEditor({
          hidden,
          echo: (bytes) => {
            this.console.write(bytes);
            this.timer.clear(reader.limit);
            reader.limit = this.timer.set(() => end(undefined), idleMs);
          },
        }),
        limit: this.timer.set(() => end(undefined), firstMs),
        end,
      };
      this.reader = reader;
    });
  }

  /** Whoever reads a line gets undefined. */
  cancel(): void {
    this.reader?.end(undefined);
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
    const { reader } = this;
    if (!reader) {
      if (byte === CR || byte === LF) this.onEnter?.();
      return;
    }
    const event = reader.editor.push(byte);
    if (event === "done") reader.end(textOf(reader.editor.bytes));
    else if (event === "cancelled") reader.end(undefined);
  }

  onFrame(type: number, data: Uint8Array): void {
    if (this.serve) this.serve(type, data);
    else this.early = { type, data };
  }

  onBadFrame(): void {
    this.serve?.(0);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return "";
  }
}
