// SLIP frames of Espressif's serial protocol (RFC 1055; esptool's documentation, "Low Level Protocol").

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** One frame on the wire: END, the packet with END and ESC escaped, END. */
export function encodeSlip(packet: Uint8Array): Uint8Array {
  let escapes = 0;
  for (const byte of packet) if (byte === END || byte === ESC) escapes += 1;
  const frame = new Uint8Array(packet.length + escapes + 2);
  let at = 0;
  frame[at++] = END;
  for (const byte of packet) {
    if (byte === END || byte === ESC) {
      frame[at++] = ESC;
      frame[at++] = byte === END ? ESC_END : ESC_ESC;
    } else {
      frame[at++] = byte;
    }
  }
  frame[at] = END;
  return frame;
}

export interface SlipEvents {
  /** A whole packet, unescaped, 1 to `limit` bytes. */
  onPacket(packet: Uint8Array): void;
  /** Bytes outside any frame: a boot log, a running app, line noise. */
  onStray?(bytes: Uint8Array): void;
}

/**
 * Takes a byte stream apart into packets. It holds at most `limit` bytes; a longer frame and one with a bad escape are
 * dropped whole, and an empty frame starts a new one, so that it finds its feet again after any garbage.
 */
export class SlipReader {
  /** Frames given up since the reader was made. */
  dropped = 0;
  private readonly packet: Uint8Array;
  private readonly events: SlipEvents;
  private length = 0;
  private state: "outside" | "inside" | "escape" | "broken" = "outside";

  constructor(limit: number, events: SlipEvents) {
    this.packet = new Uint8Array(limit);
    this.events = events;
  }

  push(bytes: Uint8Array): void {
    let stray = 0; // start of the bytes outside a frame
    for (let i = 0; i < bytes.length; i += 1) {
      const byte = bytes[i]!;
      if (this.state === "outside") {
        if (byte !== END) continue;
        this.report(bytes, stray, i);
        this.begin();
      } else if (byte === END) {
        if (this.end()) stray = i + 1;
      } else {
        this.take(byte);
      }
    }
    if (this.state === "outside") this.report(bytes, stray, bytes.length);
  }

  /** Forgets a frame that has begun: the next END starts one. */
  reset(): void {
    this.state = "outside";
  }

  private begin(): void {
    this.length = 0;
    this.state = "inside";
  }

  /** False when the frame was empty: that END starts the next one. */
  private end(): boolean {
    if (this.state === "inside" && this.length === 0) return false;
    const whole = this.state === "inside";
    this.state = "outside";
    if (whole) this.events.onPacket(this.packet.slice(0, this.length));
    else this.dropped += 1;
    return true;
  }

  private take(byte: number): void {
    if (this.state === "broken") return;
    if (this.state === "escape") {
      if (byte !== ESC_END && byte !== ESC_ESC) {
        this.state = "broken";
        return;
      }
      this.state = "inside";
      this.store(byte === ESC_END ? END : ESC);
    } else if (byte === ESC) {
      this.state = "escape";
    } else {
      this.store(byte);
    }
  }

  private store(byte: number): void {
    if (this.length === this.packet.length) this.state = "broken";
    else this.packet[this.length++] = byte;
  }

  private report(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.events.onStray?.(bytes.slice(from, to));
  }
}
