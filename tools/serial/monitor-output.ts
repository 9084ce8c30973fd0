// What `broome monitor` shows of what a board says: as it comes, or with the time before each line; and a copy in a file.

import { closeSync, openSync, writeSync } from "node:fs";
import { BroomeError } from "../error.js";
import { placesOf } from "./crash.js";

const LF = 0x0a;
const MAX_LINE = 4096; // bytes of a line that are looked at for a crash

export interface OutputOptions {
  show(bytes: Uint8Array): void;
  /** A line of ours. */
  note(text: string): void;
  now(): Date;
  /** Where the firmware's source is, for crashes. */
  root: string;
  /** Gets each line of the board, without its end. */
  onLine?(text: string): void;
}

export class MonitorOutput {
  timestamps = false;
  private readonly options: OutputOptions;
  private atLineStart = true;
  private line: number[] = [];
  private file: { fd: number; path: string } | undefined;

  constructor(options: OutputOptions) {
    this.options = options;
  }

  take(chunk: Uint8Array): void {
    const shown = this.timestamps ? this.stamped(chunk) : chunk;
    if (!this.timestamps) this.atLineStart = chunk.length > 0 ? chunk.at(-1) === LF : this.atLineStart;
    this.options.show(shown);
    if (this.file) writeSync(this.file.fd, shown);
    for (const byte of chunk) {
      if (byte === LF) this.endLine();
      else if (this.line.length < MAX_LINE) this.line.push(byte);
    }
  }

  /** Lines of ours, below what the board has begun to say; that, a prompt mostly, is shown again after them. */
  say(...lines: string[]): void {
    const open = !this.atLineStart;
    if (open) this.options.show(Uint8Array.of(LF));
    for (const line of lines) this.options.note(line);
    if (open) this.options.show(Uint8Array.from(this.line));
  }

  /** The file that a copy goes to; undefined: none does. */
  get logPath(): string | undefined {
    return this.file?.path;
  }

  /** From now on a copy of what is shown is appended to the file. @throws BroomeError `log-not-writable` */
  startLog(path: string): void {
    this.stopLog();
    try {
      this.file = { fd: openSync(path, "a"), path };
    } catch (error) {
      const { message } = error as Error;
      throw new BroomeError("log-not-writable", `${path}: ${message}`, "Give another file with --log.");
    }
  }

  /** May be called twice. */
  stopLog(): void {
    if (this.file) closeSync(this.file.fd);
    this.file = undefined;
  }

  /** Ends a line that the board has begun, so that a shell's prompt does not stand behind it; and the log. */
  close(): void {
    if (!this.atLineStart) this.take(Uint8Array.of(LF));
    this.stopLog();
  }

  private stamped(chunk: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.atLineStart) parts.push(Buffer.from(`${stampOf(this.options.now())} `));
      const end = chunk.indexOf(LF, at);
      const next = end < 0 ? chunk.length : end + 1;
      parts.push(chunk.subarray(at, next));
      this.atLineStart = end >= 0;
      at = next;
    }
    return Buffer.concat(parts);
  }

  private endLine(): void {
    const text = Buffer.from(this.line).toString("utf8");
    this.line = [];
    for (const { file, line, text: source } of placesOf(text, this.options.root))
      this.options.note(`${file}:${line}: ${source}`);
    this.options.onLine?.(text);
  }
}

/** "14:03:07.250", local time. */
export function stampOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
