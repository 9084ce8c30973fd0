// How DTR and RTS bring a board into download mode or restart it (esptool's documentation, "Boot Mode Selection").

import type { ControlLines, SerialPort } from "../serial/port.js";

/** One step: set lines or the baud rate, then wait. */
export interface ResetStep {
  readonly lines?: ControlLines;
  /** "back" = the rate from before the sequence. */
  readonly baudRate?: number | "back";
  readonly waitMs?: number;
}

export interface ResetStrategy {
  readonly name: string;
  readonly steps: readonly ResetStep[];
}

/** IO0 is released this long after EN; some boards have a large capacitor on EN and need the longer one. */
const DELAY_MS = 50;
const LONG_DELAY_MS = 550;
const HOLD_MS = 100; // EN low

/** RTS pulls EN low, DTR pulls IO0 low (each only while the other is released). One line at a time. */
function classic(delayMs: number): ResetStrategy {
  return {
    name: `classic ${delayMs} ms`,
    steps: [
      { lines: { dtr: false } }, // IO0 high
      { lines: { rts: true }, waitMs: HOLD_MS }, // EN low: the chip is in reset
      { lines: { dtr: true } }, // IO0 low, as soon as EN lets go
      { lines: { rts: false }, waitMs: delayMs }, // EN high: the chip starts and reads IO0
      { lines: { dtr: false } }, // IO0 high again
    ],
  };
}

/** The same with both lines changed at once, for adapters that would glitch between two changes. */
function tight(delayMs: number): ResetStrategy {
  return {
    name: `tight ${delayMs} ms`,
    steps: [
      { lines: { dtr: false, rts: false } },
      { lines: { dtr: true, rts: true } },
      { lines: { dtr: false, rts: true }, waitMs: HOLD_MS }, // IO0 high, EN low
      { lines: { dtr: true, rts: false }, waitMs: delayMs }, // IO0 low, EN high
      { lines: { dtr: false, rts: false } },
    ],
  };
}

/** The chip's own USB-Serial-JTAG: no transistors, the peripheral watches the order of the changes. */
const usbJtag: ResetStrategy = {
  name: "USB-JTAG",
  steps: [
    { lines: { rts: false } },
    { lines: { dtr: false }, waitMs: HOLD_MS }, // idle
    { lines: { dtr: true } }, // IO0
    { lines: { rts: false }, waitMs: HOLD_MS },
    { lines: { rts: true } }, // reset, through (1,1) and not (0,0)
    { lines: { dtr: false } },
    { lines: { rts: true }, waitMs: HOLD_MS }, // Windows passes RTS on only when DTR was set
    { lines: { dtr: false } },
    { lines: { rts: false } }, // out of reset
  ],
};

/** A virtual board's pty has no lines: it takes a look at 1200 baud for a wish for download mode. */
const touch1200: ResetStrategy = {
  name: "1200 baud",
  steps: [
    { baudRate: 1200, waitMs: HOLD_MS },
    { baudRate: "back", waitMs: HOLD_MS },
  ],
};

/** The board is in download mode already, or somebody holds its button. */
export const noReset: ResetStrategy = { name: "none", steps: [] };

/** Restarts the chip into whatever IO0 says, which is the app. */
export const hardReset: ResetStrategy = {
  name: "hard reset",
  steps: [
    { lines: { dtr: false } }, // IO0 high
    { lines: { rts: true }, waitMs: HOLD_MS }, // EN low
    { lines: { rts: false } },
  ],
};

const ESPRESSIF = 0x303a;
const USB_JTAG_PRODUCT = 0x1001;

/** What to try on this port, best first; all of them again until the attempts are used up. */
export function downloadResets(port: SerialPort): readonly ResetStrategy[] {
  if (!port.hasLines) return port.hasBaudRate ? [touch1200, noReset] : [noReset];
  if (port.usb?.vendorId === ESPRESSIF && port.usb.productId === USB_JTAG_PRODUCT) return [usbJtag];
  // Over a network each line is a message of its own, so that nothing is tight.
  if (port.name.startsWith("rfc2217:")) return [classic(DELAY_MS), classic(LONG_DELAY_MS)];
  return [tight(DELAY_MS), tight(LONG_DELAY_MS), classic(DELAY_MS), classic(LONG_DELAY_MS)];
}

export async function runReset(
  port: SerialPort,
  strategy: ResetStrategy,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const before = port.baudRate;
  for (const { lines, baudRate, waitMs } of strategy.steps) {
    if (lines) await port.setLines(lines);
    if (baudRate !== undefined) await port.setBaudRate(baudRate === "back" ? before : baudRate);
    if (waitMs !== undefined) await sleep(waitMs);
  }
}
