// The serial line and the bootloader's time, as slow as they are on a board (`--realtime`): 8N1 at the baud rate, and work that is charged.

import type { Clock, ClockTimer } from "./clock.js";
import { DEFAULT_BAUD_RATE } from "./uart.js";

const BITS_PER_BYTE = 10; // 8N1
const PIECE = 128; // bytes; a timer a byte would cost more than it tells
const FRAME_END = 0xc0; // of SLIP: what follows finds a ROM at work
/** What comes while a ROM is at work waits in the UART's FIFO (ESP32-C3 Technical Reference Manual 26.3; the same on the others). */
const FIFO_SIZE = 128; // bytes
const MAX_WAITING = 0x10000; // bytes that a stub's interrupt takes meanwhile; it has two buffers of 0x4000 and some
const MAX_QUEUED = 0x100000; // bytes towards a host that does not read

export interface PacedLineOptions {
  clock: Clock;
  /** The client's rate: while the board measures it, it is the board's. */
  clientRate: () => number;
  /** To the client. */
  send: (bytes: Uint8Array) => void;
  /** To the bootloader, which may `charge` and send. */
  deliver: (bytes: Uint8Array) => void;
  /** True while a stub listens: its interrupt reads on while it works. */
  reads: () => boolean;
}

interface Departure {
  readonly due: number;
  readonly act: () => void;
}

/**
 * Moments are those of a timeline of its own: what is late because a timer was does not make the next thing later. So a
 * transfer takes what the line and the chip take, to a few milliseconds in all.
 */
export class PacedLine {
  private readonly options: PacedLineOptions;
  private rate: number | "auto" = "auto";
  private at: number | undefined; // now, on the timeline, while something is delivered
  private busyUntil = 0;
  private sentUntil = 0; // the line towards the client
  private heardUntil = 0; // the line towards the board
  private departures: Departure[] = [];
  private queued = 0; // bytes among them
  private arrivals: { due: number; bytes: Uint8Array }[] = [];
  private waiting: Uint8Array[] = [];
  private departing: ClockTimer | undefined;
  private arriving: ClockTimer | undefined;

  constructor(options: PacedLineOptions) {
    this.options = options;
  }

  /** From the board; it leaves when the board's work is done and what was sent before has left. */
  toHost(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.slice(from, from + PIECE);
      if (this.queued + piece.length > MAX_QUEUED) return;
      this.queued += piece.length;
      this.depart(this.duration(piece.length), () => {
        this.queued -= piece.length;
        this.options.send(piece);
      });
    }
  }

  /** The board changes its rate, once what it sent before has left. */
  setRate(rate: number | "auto", apply: () => void): void {
    this.rate = rate;
    this.depart(0, apply);
  }

  /** From the client; it arrives at the line's pace. */
  fromHost(bytes: Uint8Array): void {
    const now = this.options.clock.now();
    for (const piece of pieces(bytes)) {
      this.heardUntil = Math.max(now, this.heardUntil) + this.duration(piece.length);
      this.arrivals.push({ due: this.heardUntil, bytes: piece });
    }
    this.arm();
  }

  /** The bootloader is at work for so long. */
  charge(ms: number): void {
    this.busyUntil = this.freeAt + ms;
  }

  /** When the bootloader will have done what it was charged with so far, on the timeline. */
  get freeAt(): number {
    return Math.max(this.busyUntil, this.now());
  }

  /** The chip begins anew: what it has not read is lost. What it said still leaves: software waits for that before it restarts. */
  restart(): void {
    this.busyUntil = 0;
    this.arrivals = [];
    this.waiting = [];
    this.heardUntil = 0;
    this.options.clock.clear(this.arriving);
    this.arriving = undefined;
  }

  /** EN or the power goes: what it was about to say is lost too. */
  silence(): void {
    this.restart();
    this.departures = [];
    this.queued = 0;
    this.sentUntil = 0;
    this.options.clock.clear(this.departing);
    this.departing = undefined;
  }

  private now(): number {
    return this.at ?? this.options.clock.now();
  }

  private duration(bytes: number): number {
    const rate = this.rate === "auto" ? this.options.clientRate() : this.rate;
    return (bytes * BITS_PER_BYTE * 1000) / (rate > 0 ? rate : DEFAULT_BAUD_RATE);
  }

  private depart(ms: number, act: () => void): void {
    this.sentUntil = Math.max(this.now(), this.busyUntil, this.sentUntil) + ms;
    this.departures.push({ due: this.sentUntil, act });
    this.armDeparture();
  }

  private armDeparture(): void {
    const [next] = this.departures;
    if (next === undefined || this.departing !== undefined) return;
    const { clock } = this.options;
    const left = () => {
      this.departing = undefined;
      while (this.departures.length > 0 && this.departures[0]!.due <= clock.now())
        this.departures.shift()!.act();
      this.armDeparture();
    };
    this.departing = this.timer(this.departures.length === 1, next.due, left);
  }

  /** A timer for what comes next: bytes, or the end of the work that they wait for. */
  private arm(): void {
    const { clock } = this.options;
    clock.clear(this.arriving);
    this.arriving = undefined;
    const due = Math.min(
      this.arrivals[0]?.due ?? Infinity,
      this.waiting.length > 0 ? this.busyUntil : Infinity,
    );
    if (due === Infinity) return;
    const arrived = () => {
      this.arriving = undefined;
      this.advance(clock.now());
      this.arm();
    };
    this.arriving = this.timer(this.arrivals.length <= 1, due, arrived);
  }

  /** Exact for the last piece, which somebody may be waiting for; of those before nobody sees when they come. */
  private timer(exact: boolean, due: number, callback: () => void): ClockTimer {
    const { clock } = this.options;
    const ms = due - clock.now();
    return exact ? clock.setExact(ms, callback) : clock.set(ms, callback);
  }

  /** Everything that happens on the board's side until `now`, in order. */
  private advance(now: number): void {
    for (;;) {
      const arrival = this.arrivals[0];
      const free = this.waiting.length > 0 ? this.busyUntil : Infinity;
      if (free <= now && free <= (arrival?.due ?? Infinity)) this.deliver(this.waiting.shift()!, free);
      else if (arrival !== undefined && arrival.due <= now) this.arrive(this.arrivals.shift()!);
      else return;
    }
  }

  private arrive({ due, bytes }: { due: number; bytes: Uint8Array }): void {
    if (this.waiting.length === 0 && this.busyUntil <= due) return this.deliver(bytes, due);
    const limit = this.options.reads() ? MAX_WAITING : FIFO_SIZE;
    const room = limit - this.waiting.reduce((sum, { length }) => sum + length, 0);
    if (room > 0) this.waiting.push(bytes.subarray(0, room)); // what finds the FIFO full is lost
  }

  private deliver(bytes: Uint8Array, at: number): void {
    this.at = at;
    try {
      this.options.deliver(bytes);
    } finally {
      this.at = undefined;
    }
  }
}

/** At most `PIECE` bytes each, and none goes on behind the end of a frame. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length;) {
    const end = bytes.subarray(from, from + PIECE).indexOf(FRAME_END) + 1;
    const to = from + (end === 0 ? PIECE : end);
    yield bytes.slice(from, to);
    from = to;
  }
}
