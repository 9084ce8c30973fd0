// What the board says on its UART: lines as they come, and waiting for one of them.

import type { SerialPort } from "../serial/port.js";
import { BroomeError } from "../error.js";

const MAX_LINES = 5_000;
const MAX_LINE_LENGTH = 1_024;

interface Waiter {
  pattern: RegExp;
  resolve(match: RegExpExecArray): void;
}

export class UartLog {
  readonly lines: string[] = [];
  #partial = "";
  #decoder = new TextDecoder();
  #waiters: Waiter[] = [];
  #port: SerialPort | undefined;
  onLine: ((line: string) => void) | undefined;

  /** Listens to an open port; closing it is the owner's. */
  attach(port: SerialPort): void {
    this.#port = port;
    port.listen((bytes) => this.take(bytes));
  }

  async detach(): Promise<void> {
    const port = this.#port;
    this.#port = undefined;
    try {
      port?.listen(undefined);
      await port?.close();
    } catch {
      // the board is gone, and its port with it
    }
  }

  get port(): SerialPort {
    if (!this.#port) throw new Error("the log listens to no port");
    return this.#port;
  }

  /** Number of lines so far: a mark to wait from. */
  get mark(): number {
    return this.lines.length;
  }

  /**
   * The first line at or after `from` that matches.
   *
   * @throws BroomeError `demo-timeout` with the last lines heard
   */
  async waitFor(pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> {
    for (const line of this.lines.slice(from)) {
      const match = pattern.exec(line);
      if (match) return match;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const heard = this.lines.slice(-12).join("\n  ");
        reject(
          new BroomeError(
            "demo-timeout",
            `the board did not say ${pattern} within ${timeoutMs} ms; its last lines:\n  ${heard}`,
            "If the machine is very busy, try again; else this is a defect.",
          ),
        );
      }, timeoutMs);
    });
    const heard = new Promise<RegExpExecArray>((resolve) => this.#waiters.push({ pattern, resolve }));
    try {
      return await Promise.race([heard, late]);
    } finally {
      clearTimeout(timer);
      this.#waiters = this.#waiters.filter((waiter) => waiter.pattern !== pattern);
    }
  }

  /** Takes what the board said. */
  take(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    const parts = (this.#partial + text).split(/\r?\n/);
    this.#partial = parts.pop()!.slice(-MAX_LINE_LENGTH);
    for (const line of parts) this.#line(line);
  }

  #line(line: string): void {
    if (this.lines.length < MAX_LINES) this.lines.push(line);
    this.onLine?.(line);
    for (const waiter of [...this.#waiters]) {
      const match = waiter.pattern.exec(line);
      if (match) waiter.resolve(match);
    }
  }
}
