// What `broome setup` asks the person at the terminal.

import { parseJoinKey } from "../../firmware/protocol/join.js";
import { ask, askSecret, choose } from "../prompt.js";
import type { Heard } from "./outcome.js";

const AGAIN = "look again";
const BY_NAME = "another one, by its name";
const MAX_SSID = 32; // bytes (IEEE 802.11, 9.4.2.2)
const MIN_PASSWORD = 8; // bytes (IEEE 802.11i)
/** Stronger than these in dBm: so many bars. */
const BARS = [-55, -67, -75, -85];

export interface Choice {
  readonly ssid: string;
  readonly secured: boolean | undefined; // undefined: nobody knows
}

/** A network of the list or one by name; undefined: the list is to be made again. */
export async function askNetwork(heard: readonly Heard[]): Promise<Choice | undefined> {
  const lines = heard.map(({ name, rssi, secured }) => {
    const full = BARS.filter((limit) => rssi > limit).length;
    return `${name.padEnd(32)} [${"#".repeat(full).padEnd(BARS.length, ".")}] ${rssi} dBm${secured ? "" : "  open"}`;
  });
  const chosen = await choose("Which network shall the board use?", [...lines, AGAIN, BY_NAME]);
  if (chosen === AGAIN) return undefined;
  const entry = heard[lines.indexOf(chosen)];
  if (entry) return { ssid: entry.name, secured: entry.secured };
  const ssid = await ask("Name of the network", "", (text) => {
    const length = Buffer.byteLength(text);
    if (length >= 1 && length <= MAX_SSID) return undefined;
    return `a network's name has 1 to ${MAX_SSID} bytes, this has ${length}`;
  });
  return { ssid, secured: undefined };
}

/** Its password; "" for an open network. */
export async function askPassword({ ssid, secured }: Choice): Promise<string> {
  if (secured === false) return "";
  if (process.env.BROOME_WIFI_PASSWORD) return process.env.BROOME_WIFI_PASSWORD;
  const hint = secured ? "" : " (empty: open)";
  return askSecret(`Password of "${ssid}"${hint}`, (text) => {
    if (text === "" && !secured) return undefined;
    return Buffer.byteLength(text) < MIN_PASSWORD ? `at least ${MIN_PASSWORD} characters` : undefined;
  });
}

/** The server's address, `before` where it is not told otherwise; "" for none now. */
export async function askServer(before = ""): Promise<string> {
  const none = before === "" ? "empty" : "-";
  const url = await ask(`Server, as http://host:3000/#pin (${none}: none now)`, before, () => undefined);
  return url === "-" ? "" : url;
}

/** Asked for until it can be one: a typing error shall not show in what is asked next. */
export async function askJoinKey(): Promise<string> {
  return process.env.BROOME_JOIN_KEY ?? (await askSecret("Join key (empty: none)", joinKeyFault));
}

function joinKeyFault(text: string): string | undefined {
  try {
    if (text !== "") parseJoinKey(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
