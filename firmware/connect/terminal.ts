// The person at the UART: prints text, reads lines, and notices a key while nobody reads.

import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import type { Console, Timer } from "../device/types.js";
import { LineEditor } from "./line-editor.js";

const LF = 0x0a;
const CR = 0x0d;

interface Reader {
  editor: LineEditor;
  limit: unknown;
  end(line: string | undefined): void;
}

export class Terminal {
  private readonly console: Console;
  private readonly timer: Timer;
  private reader: Reader | undefined;
  private pressed = false;
  private onKey: (() => void) | undefined;
  private afterCr = false;

  constructor(console: Console, timer: Timer) {
    this.console = console;
    this.timer = timer;
    console.listen((bytes) => this.take(bytes));
  }

  print(text: string): void {
    this.console.write(encodeUtf8(text));
  }

  /** True as soon as a key is pressed, or has been since the last line was read; false after `ms`. */
  waitForKey(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = () => {
        this.timer.clear(limit);
        this.onKey = undefined;
        const pressed = this.pressed;
        this.pressed = false;
        resolve(pressed);
      };
      const limit = this.timer.set(end, this.pressed ? 0 : ms);
      this.onKey = end;
    });
  }

  /** A line, or undefined: Ctrl-C, or nothing typed for `firstMs`, or later for `idleMs`. Text that is no UTF-8 reads as "". */
  readLine(options: {
    prompt: string;
    hidden?: boolean;
    firstMs: number;
    idleMs: number;
  }): Promise<string | undefined> {
    const { prompt, hidden = false, firstMs, idleMs } = options;
    this.print(prompt);
    return new Promise((resolve) => {
      const end = (line: string | undefined) => {
        this.timer.clear(reader.limit);
        this.reader = undefined;
        this.pressed = false;
        this.print("\n");
        resolve(line);
      };
      const reader: Reader = {
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

  private take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1) {
      const byte = bytes[i]!;
      const second = byte === LF && this.afterCr;
      this.afterCr = byte === CR;
      if (!second) this.key(byte);
    }
  }

  private key(byte: number): void {
    const reader = this.reader;
    if (!reader) {
      this.pressed = true;
      this.onKey?.();
      return;
    }
    const event = reader.editor.push(byte);
    if (event === "done") reader.end(textOf(reader.editor.bytes));
    else if (event === "cancelled") reader.end(undefined);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return "";
  }
}
