// What the dialog shows of networks and of failures, in plain words.

import type { ScanEntry } from "../device/types.js";
import { printable } from "../protocol/log-line.js";
import { ssidText } from "./networks.js";

/** Stronger than these in dBm: so many bars. */
const BARS = [-55, -67, -75, -85];
const NAME_COLUMNS = 32;

/** One line a network, numbered from 1: name, bars, signal, channel, security. */
export function networkLines(found: readonly ScanEntry[]): string[] {
  return found.map(({ ssid, rssi, channel, security }, index) => {
    const name = printable(ssidText(ssid)) || "(hidden)";
    const number = String(index + 1).padStart(3);
    const place = `channel ${String(channel).padEnd(2)}`;
    return `${number}  ${name.padEnd(NAME_COLUMNS)} [${bars(rssi)}] ${rssi} dBm  ${place}  ${security}\n`;
  });
}

function bars(rssi: number): string {
  const full = BARS.filter((limit) => rssi > limit).length;
  return "#".repeat(full) + ".".repeat(BARS.length - full);
}

export function wordsFor(reason: string): string {
  const word = reason.split(" ")[0];
  if (word === "wrong-password") return "The password was not accepted.";
  if (word === "not-found") return "That network is not heard here. This device hears 2.4 GHz only.";
  if (word === "no-address") return "The network gave no address: its router may be full or busy.";
  return "It did not answer in time.";
}

/** Why no server takes this device, as a sentence with a space behind it; "" where there is nothing to say. */
export function wordsForServer(reason: string | undefined): string {
  const word = reason?.split(" ")[0];
  if (word === "wrong-server") return "Another server answers there than the one of this pin. ";
  if (word === "no-pin") return "Without its pin the server cannot be told from another. ";
  if (word === "no") return "There is no usable join key. ";
  if (reason === "server-rejected (429)") return "The server asks to wait: it was asked too often. ";
  if (word === "server-rejected") return "The server does not take this join key. ";
  if (word === "server-unreachable" || word === "timeout") return "The server does not answer. ";
  return "";
}
