// Why no bootloader was found, and what the user can do about it.

import type { SerialPort } from "../serial/port.js";
import { FlasherError } from "./error.js";

const MAX_QUOTED = 120; // characters of what came

/** Nothing came at all. */
export function noAnswer(port: SerialPort): FlasherError {
  const message = `no board answers at ${port.name} (${port.baudRate} baud)`;
  return new FlasherError("no-answer", message, howToDownload(port));
}

/** Something came, but no frames: an app, a boot log, noise. */
export function notABootloader(port: SerialPort, heard: string): FlasherError {
  const said = heard
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(-MAX_QUOTED);
  const message = `${port.name} answers, but not as a bootloader: ${JSON.stringify(said)}`;
  return new FlasherError("not-a-bootloader", message, howToDownload(port));
}

function howToDownload(port: SerialPort): string {
  if (port.hasLines)
    return "Hold BOOT, press and release RESET, let BOOT go, then run the same command again.";
  return "This port cannot reset the board: put it into download mode by hand, or (virtual board) use rfc2217://.";
}
