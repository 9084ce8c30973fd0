// Addresses and sizes as esptool takes them on the command line: 4096, 0x1000, 4k, 4MB, ALL.

import { BroomeError } from "../error.js";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 2 ** 20 };

/** @throws BroomeError `usage` */
export function parseAddress(text: string): number {
  return parseNumber(text, "an address");
}

/** `all`: bytes from the address to the end of the flash. @throws BroomeError `usage` */
export function parseSize(text: string, all: number): number {
  return text.toUpperCase() === "ALL" ? all : parseNumber(text, "a size");
}

function parseNumber(text: string, what: string): number {
  const match = /^(0x[0-9a-f]+|\d+)(?:([km])b?)?$/i.exec(text);
  const value = match ? Number(match[1]) * UNITS[(match[2] ?? "").toLowerCase()]! : NaN;
  if (Number.isSafeInteger(value) && value < 2 ** 32) return value;
  throw new BroomeError("usage", `"${text}" is not ${what}`, "Write 4096, 0x1000, 4k or 4MB.");
}
