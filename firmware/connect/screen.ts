// What the dialog shows of networks and of failures, in plain words.

import type { ScanList } from "../device/types.js";
import { printable } from "../protocol/log-line.js";
import { ssidText } from "./networks.js";

/** Stronger than these in dBm: so many bars. */
const BARS = [-55, -67, -75, -85];
const NAME_COLUMNS = 32;

/** The line of one network: its number, name, bars, signal, channel, security. */
export function networkLine(found: ScanList, place: number, number: number): string {
  const name = (printable(ssidText(found.ssid(place))) || "(hidden)").padEnd(NAME_COLUMNS);
  const rssi = found.rssi(place);
  const channel = String(found.channel(place)).padEnd(2);
  const signal = `[${bars(rssi)}] ${rssi} dBm`;
  return `${String(number).padStart(3)}  ${name} ${signal}  channel ${channel}  ${found.security(place)}\n`;
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
