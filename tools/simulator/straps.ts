// DTR and RTS through the usual two transistors: what they do to EN and IO0 (esptool's documentation, "Boot Mode Selection").

import { Clock, type ClockTimer } from "./clock.js";
import type { Lines } from "./uart.js";

/** EN's capacitor: IO0 is read this long after EN was let go. */
const SETTLE_MS = 20;
/** How long EN stays low with both lines asserted after a reset: some clients need that long for their next line change. */
const LINGER_MS = 500;

export interface StrapEvents {
  /** EN went low: the chip stops. */
  onHold(): void;
  /** EN is high again: the chip starts, in the ROM's download mode when IO0 was low. */
  onRelease(download: boolean): void;
}

/**
 * RTS alone pulls EN low, DTR alone pulls IO0 low, both together pull neither.
 *
 * The classic sequence passes through "both" on its way from reset to download, where a real board is kept in reset by
 * EN's capacitor. Over a network those two changes may be some tenths of a second apart, so here the capacitor is that large.
 */
export class Straps {
  private readonly events: StrapEvents;
  private lines: Lines = { dtr: false, rts: false };
  private held = false;
  private readonly clock: Clock;
  private timer: ClockTimer | undefined;

  /** `clock`: the real one, as whoever moves the lines lives by it. */
  constructor(events: StrapEvents, clock = new Clock({ mode: "real" })) {
    this.events = events;
    this.clock = clock;
  }

  set(lines: Lines): void {
    this.lines = lines;
    if (lines.rts && !lines.dtr) return this.hold();
    if (!this.held) return;
    const both = lines.rts && lines.dtr;
    this.releaseIn(both ? LINGER_MS : SETTLE_MS);
  }

  close(): void {
    this.clock.clear(this.timer);
    this.held = false;
  }

  private hold(): void {
    this.clock.clear(this.timer);
    if (this.held) return;
    this.held = true;
    this.events.onHold();
  }

  private releaseIn(delayMs: number): void {
    this.clock.clear(this.timer);
    this.timer = this.clock.set(delayMs, () => {
      this.held = false;
      this.events.onRelease(this.lines.dtr && !this.lines.rts);
    });
  }
}
