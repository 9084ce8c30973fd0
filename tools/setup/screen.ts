// What a board says on its UART, told apart: frames of Improv, and text, in which something can be waited for.

import { ImprovParser } from "../../firmware/protocol/improv-parser.js";
import type { SerialPort } from "../serial/port.js";

const MAX_TEXT = 64 * 1024; // characters

export interface Frame {
  readonly type: number;
  readonly data: Uint8Array;
}

interface Waiter {
  look(): boolean;
}

export class Screen {
  private readonly port: SerialPort;
  private text = "";
  private frames: Frame[] = [];
  private waiters: Waiter[] = [];
  private lost: Error | undefined;

  /** Listens from now on; closing the port is the owner's. */
  constructor(port: SerialPort) {
    this.port = port;
    let bytes: number[] = [];
    const parser = new ImprovParser({
      onText: (byte) => bytes.push(byte),
      onFrame: (type, data) => this.frames.push({ type, data }),
      onBadFrame: () => undefined, // its sender asks again
    });
    const decoder = new TextDecoder();
    port.listen((chunk) => {
      bytes = [];
      for (const byte of chunk) parser.push(byte);
      this.text = (this.text + decoder.decode(Uint8Array.from(bytes), { stream: true })).slice(-MAX_TEXT);
      this.look();
    });
    port.onLost((error) => this.end(error));
  }

  /** Nothing more is waited for: whoever does gets `error`. */
  end(error: Error): void {
    this.lost ??= error;
    this.look();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.port.write(bytes);
  }

  type(text: string): Promise<void> {
    return this.write(new TextEncoder().encode(text));
  }

  /** What was said before counts no more. */
  clear(): void {
    this.text = "";
    this.frames = [];
  }

  /** Everything that was said since `clear`, without carriage returns. */
  get said(): string {
    return this.text.replaceAll("\r", "");
  }

  /** The first match in what was said since `clear`; undefined after `ms`. @throws PortError when the port has gone */
  waitFor(pattern: RegExp, ms: number): Promise<RegExpExecArray | undefined> {
    return this.until(() => pattern.exec(this.said) ?? undefined, ms);
  }

  /** The first frame since `clear` that `wanted` takes; undefined after `ms`. */
  waitForFrame(wanted: (frame: Frame) => boolean, ms: number): Promise<Frame | undefined> {
    return this.until(() => this.frames.find(wanted), ms);
  }

  /** Every frame since `clear`. */
  get heard(): readonly Frame[] {
    return this.frames;
  }

  private until<T>(find: () => T | undefined, ms: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const end = (action: () => void) => {
        clearTimeout(timer);
        this.waiters = this.waiters.filter((one) => one !== waiter);
        action();
      };
      const waiter: Waiter = {
        look: () => {
          const found = find();
          if (found !== undefined) end(() => resolve(found));
          else if (this.lost) end(() => reject(this.lost!));
          return found !== undefined;
        },
      };
      const timer = setTimeout(() => end(() => resolve(undefined)), ms);
      this.waiters.push(waiter);
      waiter.look();
    });
  }

  private look(): void {
    for (const waiter of [...this.waiters]) waiter.look();
  }
}
