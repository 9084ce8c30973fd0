// What the device is called: by its owner over Improv, by the patched defaults, or by its product and MAC.

import { encodeHex } from "../protocol/hex.js";
import type { Base } from "../store/base.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { NAMES } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

const MAX_NAME = 32; // characters, like the server's
/** What ESP-IDF and the ESP8266's SDK take; a label of a domain name could have 63 (RFC 1035, 2.3.4). */
const MAX_HOST = 32;

/** "-" and half a MAC: what `ownName` ends with. */
const TAIL = 7;

interface Names {
  name: string;
  host: string;
}

export function deviceName(base: Base): string {
  const given = getRecord<Names>(base.store, NAMES)?.name;
  return given ?? textDefault(defaultValues(base.store), "device.name") ?? ownName(base);
}

/** Also what the router hears. */
export function hostName(base: Base): string {
  const given = getRecord<Names>(base.store, NAMES)?.host;
  return isHostName(given) ? given : ownHostName(base);
}

/** Throws as `LogStore.set`. */
export function setNames(store: LogStore, names: { name?: string; host?: string }): void {
  setRecord(store, NAMES, { ...getRecord<Names>(store, NAMES), ...names });
}

export function isDeviceName(text: string | undefined): text is string {
  return text !== undefined && text.length >= 1 && text.length <= MAX_NAME;
}

/** One label of RFC 1123, 2.1: letters, digits and hyphens, no hyphen at either end. */
export function isHostName(text: string | undefined): text is string {
  if (text === undefined || text.length < 1 || text.length > MAX_HOST) return false;
  for (let i = 0; i < text.length; i += 1) {
    const isInner = text[i] === "-" && i > 0 && i < text.length - 1;
    if (!isInner && !isLetterOrDigit(text.charCodeAt(i))) return false;
  }
  return true;
}

/** Lower case, with colons: as people and the wire write it. */
export function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join(":");
}

function isLetterOrDigit(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** `ownName` with hyphens for what a host name cannot have, and its product cut where that is long. */
function ownHostName(base: Base): string {
  const own = ownName(base);
  const tail = own.slice(-TAIL);
  let head = "";
  for (let i = 0; i < own.length - TAIL && head.length < MAX_HOST - TAIL; i += 1) {
    if (isLetterOrDigit(own.charCodeAt(i))) head += own[i];
    else if (head !== "" && head[head.length - 1] !== "-") head += "-";
  }
  return head + (head === "" || head[head.length - 1] === "-" ? tail.slice(1) : tail);
}

function ownName({ config, device }: Base): string {
  return `${config.product}-${encodeHex(device.system.mac().subarray(3))}`;
}
