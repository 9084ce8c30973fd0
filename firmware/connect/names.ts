// What the device is called: by its owner over Improv, by the patched defaults, or by its product and MAC.

import { encodeHex } from "../protocol/hex.js";
import type { Base } from "../store/base.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { NAMES } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

const MAX_NAME = 32; // characters, like the server's
const MAX_LABEL = 63; // RFC 1035, 2.3.4

interface Names {
  name: string;
  host: string;
}

export function deviceName(base: Base): string {
  const given = getRecord<Names>(base.store, NAMES)?.name;
  return given ?? textDefault(defaultValues(base.store), "device.name") ?? ownName(base);
}

export function hostName(base: Base): string {
  return getRecord<Names>(base.store, NAMES)?.host ?? ownName(base);
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
  if (text === undefined || text.length < 1 || text.length > MAX_LABEL) return false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i) | 0x20; // lower case
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isDigit = text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39;
    const isInner = text[i] === "-" && i > 0 && i < text.length - 1;
    if (!isLetter && !isDigit && !isInner) return false;
  }
  return true;
}

function ownName({ config, device }: Base): string {
  return `${config.product}-${encodeHex(device.system.mac().subarray(3))}`;
}
