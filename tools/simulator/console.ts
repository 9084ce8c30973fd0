// The UART as the program sees it: what the host sends waits in the chip's 128-byte FIFO until the program has time.

import type { Clock, ClockTimer } from "./clock.js";
import type { Post } from "./events.js";

export const FIFO_SIZE = 128; // bytes (ESP32-C3 Technical Reference Manual 26.3; the same on ESP8266)
const MAX_HELD = 64 * 1024; // bytes kept back for the host where nothing is lost
const BITS_PER_BYTE = 10; // 8N1

export interface ConsoleOptions {
  clock: Clock;
  post: Post;
  toHost: (bytes: Uint8Array) => void;
  /** Bytes arrive and leave as fast as the line is, and what the FIFO cannot take is lost. Else the host is held back. */
  paced: boolean;
}

export class Console {
  baudRate = 115200;
  /** Bytes that found the FIFO full. */
  overruns = 0;
  private readonly options: ConsoleOptions;
  private fifo: number[] = [];
  private held: Uint8Array[] = []; // not yet at the chip
  private heldBytes = 0;
  private told = false;
  private lineFree = 0; // moment at which the line towards the chip has carried everything
  private timers = new Set<ClockTimer>();

  constructor(options: ConsoleOptions) {
    this.options = options;
  }

  /** From the program to the host. */
  write(bytes: Uint8Array): void {
    this.options.toHost(bytes);
  }

  /** From the host to the program. */
  receive(bytes: Uint8Array): void {
    if (this.options.paced) return this.arriveByByte(bytes);
    if (this.heldBytes + bytes.length > MAX_HELD) {
      this.overruns += bytes.length;
      return;
    }
    this.held.push(bytes);
    this.heldBytes += bytes.length;
    this.refill();
  }

  /** The chip resets: what it had not read is lost. */
  reset(): void {
    this.fifo = [];
    this.held = [];
    this.heldBytes = 0;
    this.told = false;
    this.lineFree = 0;
    for (const timer of this.timers) this.options.clock.clear(timer);
    this.timers.clear();
  }

  private arriveByByte(bytes: Uint8Array): void {
    const { clock } = this.options;
    const byteMs = (BITS_PER_BYTE * 1000) / this.baudRate;
    for (let at = 0; at < bytes.length; at += FIFO_SIZE / 4) {
      const part = bytes.subarray(at, at + FIFO_SIZE / 4); // a timer a byte would cost more than it tells
      this.lineFree = Math.max(this.lineFree, clock.now()) + part.length * byteMs;
      const timer = clock.set(this.lineFree - clock.now(), () => {
        this.timers.delete(timer);
        this.arrive(part);
      });
      this.timers.add(timer);
    }
  }

  private arrive(bytes: Uint8Array): void {
    const room = FIFO_SIZE - this.fifo.length;
    this.fifo.push(...bytes.subarray(0, room));
    this.overruns += Math.max(0, bytes.length - room);
    this.tell();
  }

  private refill(): void {
    while (this.fifo.length < FIFO_SIZE && this.held.length > 0) {
      const first = this.held[0]!;
      const part = first.subarray(0, FIFO_SIZE - this.fifo.length);
      this.fifo.push(...part);
      this.heldBytes -= part.length;
      if (part.length === first.length) this.held.shift();
      else this.held[0] = first.subarray(part.length);
    }
    this.tell();
  }

  private tell(): void {
    if (this.told || this.fifo.length === 0) return;
    this.told = true;
    this.options.post(() => {
      this.told = false;
      const bytes = Uint8Array.from(this.fifo);
      this.fifo = [];
      this.refill();
      return bytes.length === 0 ? undefined : ["console.bytes", bytes];
    });
  }
}
