// What can go wrong with a port, in the words and codes of CONTRACT, with what to do about it.

import { BroomeError } from "../error.js";

/** A port that cannot be opened or has gone. Codes: `port-*`, `no-modem-lines`, `baud-rate-fixed`. */
export class PortError extends BroomeError {}

export function portNotFound(name: string, why: string, cause?: unknown): PortError {
  return new PortError(
    "port-not-found",
    `${name}: ${why}`,
    "Is the board plugged in, or the virtual board running? Give its port with -p PORT or BROOME_PORT.",
    { cause },
  );
}

export function portBusy(name: string, why: string, cause?: unknown): PortError {
  const help = "Close the other program (a monitor, an IDE, another broome) that has the port open.";
  return new PortError("port-busy", `${name} is in use: ${why}`, help, { cause });
}

export function portPermission(name: string, cause?: unknown): PortError {
  return new PortError(
    "port-permission",
    `${name}: permission denied`,
    'On Linux: sudo usermod -a -G dialout "$USER", then log in again (the group is uucp on Arch).',
    { cause },
  );
}

export function portClosed(name: string): PortError {
  const help = "This is a mistake in the code that uses the port; please report it.";
  return new PortError("port-closed", `${name} was used after close`, help);
}

export function portLost(name: string, why: string, cause?: unknown): PortError {
  const help = "Check the cable and the power, or whether the virtual board still runs, then try again.";
  return new PortError("port-lost", `${name} has gone: ${why}`, help, { cause });
}

export function noModemLines(name: string): PortError {
  const help = "Put the board into download mode by hand; for a virtual board use its rfc2217:// port.";
  return new PortError("no-modem-lines", `${name} has no modem lines, so it cannot reset a board`, help);
}

export function baudRateFixed(name: string): PortError {
  const help = "Leave -b away: the far end of a socket decides the rate.";
  return new PortError("baud-rate-fixed", `${name} cannot change the baud rate`, help);
}

/** The error for a failed connect, open or resolve, from the system's error code. */
export function openError(name: string, error: unknown): PortError {
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  const says = (pattern: RegExp) => pattern.test(`${code} ${message}`);
  if (says(/EACCES|EPERM|permission denied|access denied/i) && !says(/lock/i)) {
    // Windows says "Access denied" where another program has the port.
    return process.platform === "win32" ? portBusy(name, message, error) : portPermission(name, error);
  }
  if (says(/EBUSY|EAGAIN|cannot lock|lock port|temporarily unavailable|access denied/i)) {
    return portBusy(name, "another program has it", error);
  }
  if (says(/ECONNREFUSED/)) return portNotFound(name, "nobody listens there", error);
  if (says(/ENOTFOUND|EAI_/)) return portNotFound(name, "no such host", error);
  if (says(/ENOENT|ENXIO|ENODEV|file not found|no such file/i))
    return portNotFound(name, "no such port", error);
  return portNotFound(name, message, error);
}
