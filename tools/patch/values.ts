// The defaults keys (CONTRACT): what each may hold, so that a typing error is found at the desk and not on the roof.

import type { Defaults, DefaultValue } from "../../firmware/format/defaults-block.js";
import { measure } from "../../firmware/format/utf8.js";
import { isName } from "../../firmware/protocol/field.js";
import { MAX_ID } from "../../firmware/protocol/sealed.js";
import { MAX_NAME } from "../../firmware/protocol/sync-message.js";
import { BroomeError } from "../error.js";

export interface DefaultsKey {
  readonly key: string;
  /** What a prompt asks for. */
  readonly title: string;
  readonly kind: "text" | "number" | "boolean";
  /** Never on a command line, masked when shown. */
  readonly secret?: true;
  /** An empty value means something (an open network) instead of "leave out". */
  readonly emptyCounts?: true;
  /** Asked for when nothing was given; or only where the key that is named was left empty. */
  readonly asked?: true | { readonly without: string };
  readonly maxBytes?: number;
  /** Why a value is refused; undefined = it is good. */
  readonly refuse?: (value: string) => string | undefined;
}

const matches = (pattern: RegExp, otherwise: string) => (value: string) =>
  pattern.test(value) ? undefined : otherwise;

const range = (low: number, high: number) => (value: string) =>
  Number(value) >= low && Number(value) <= high ? undefined : `must be ${low} to ${high}`;

const address = matches(
  /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/,
  "must be an IPv4 address, four numbers of 0 to 255 with dots between",
);

function refusePassword(value: string): string | undefined {
  const bytes = measure(value);
  if (bytes === 0 || /^[0-9a-fA-F]{64}$/.test(value)) return undefined;
  return bytes < 8
    ? `has ${bytes} characters: WPA takes 8 to 63, or 64 hex digits; leave it empty for an open network`
    : undefined;
}

/** Why a text is no key of ESP-Touch v2; undefined = it is one, or empty for none. Espressif's apps take 16 characters. */
export function refuseTouchKey(value: string): string | undefined {
  return /^([\x20-\x7e]{16})?$/.test(value) ? undefined : "must be 16 printable ASCII characters";
}

export const defaultsKeys: readonly DefaultsKey[] = [
  { key: "wifi.ssid", title: "Wi-Fi network (SSID)", kind: "text", maxBytes: 32, asked: true },
  {
    key: "wifi.password",
    title: "Wi-Fi password",
    kind: "text",
    secret: true,
    emptyCounts: true,
    maxBytes: 63,
    asked: true,
    refuse: refusePassword,
  },
  { key: "device.name", title: "Name of the device", kind: "text", maxBytes: MAX_NAME, asked: true },
  {
    key: "server.url",
    title: "Server, http://host:port/#pin",
    kind: "text",
    maxBytes: 200,
    asked: true,
    refuse: matches(
      /^http:\/\/[A-Za-z0-9.-]{1,253}(:[1-9]\d{0,4})?\/?(#[\w-]{22})?$/,
      "must look like http://host:3000/#pin, as the server prints it; the pin has 22 characters",
    ),
  },
  {
    key: "join.key",
    title: "Join key",
    kind: "text",
    secret: true,
    asked: true,
    refuse: matches(/^[\w-]{30}$/, "must be the 30 characters of `broome join-keys create`"),
  },
  {
    key: "device.id",
    title: "Device id",
    kind: "text",
    refuse: (value) =>
      isName(value, MAX_ID) ? undefined : `must be letters, digits, - and _, at most ${MAX_ID}`,
  },
  {
    key: "device.key",
    title: "Device key",
    kind: "text",
    secret: true,
    refuse: matches(/^[\w-]{43}$/, "must be 43 characters of base64url, as `--register` gets it"),
  },
  {
    key: "smartconfig.key",
    title: "ESP-Touch key, 16 characters",
    kind: "text",
    secret: true,
    asked: { without: "wifi.ssid" },
    refuse: refuseTouchKey,
  },
  { key: "serial.baud", title: "Serial speed, baud", kind: "number", refuse: range(300, 5_000_000) },
  {
    key: "ota.schedule",
    title: "When to look for updates",
    kind: "text",
    refuse: matches(
      /^(daily ([01]\d|2[0-3]):[0-5]\d( [+-](0\d|1[0-4]):[0-5]\d)?|every [1-9]\d{0,3}[mhd])$/,
      'must look like "daily 02:00 +01:00" or "every 6h"',
    ),
  },
  {
    key: "wifi.associationMs",
    title: "First wait for the router, ms",
    kind: "number",
    refuse: range(1000, 60_000),
  },
  {
    key: "wifi.addressMs",
    title: "First wait for an address, ms",
    kind: "number",
    refuse: range(1000, 60_000),
  },
  {
    key: "trial.uptimeMs",
    title: "Up before a trial is confirmed, ms",
    kind: "number",
    refuse: range(0, 86_400_000),
  },
  { key: "trial.deadlineMs", title: "End of a trial, ms", kind: "number", refuse: range(1000, 86_400_000) },
  { key: "ip.address", title: "Fixed IP address", kind: "text", refuse: address },
  { key: "ip.mask", title: "Network mask", kind: "text", refuse: address },
  { key: "ip.gateway", title: "Gateway", kind: "text", refuse: address },
  { key: "tofu", title: "Trust the first server that answers", kind: "boolean" },
];

const APP_KEY = /^x\.[A-Za-z0-9._-]{1,32}$/;
const APP_VALUE_BYTES = 256;

/** The description of `key`; `x.*` belongs to the app. Throws `unknown-key`. */
export function keyOf(key: string): DefaultsKey {
  const known = defaultsKeys.find((entry) => entry.key === key);
  if (known) return known;
  if (APP_KEY.test(key)) return { key, title: key, kind: "text", maxBytes: APP_VALUE_BYTES };
  const close = defaultsKeys.find(
    (entry) => entry.key.toLowerCase().replaceAll(/\W/g, "") === key.toLowerCase().replaceAll(/\W/g, ""),
  );
  throw new BroomeError(
    "unknown-key",
    `there is no default "${key}"`,
    close
      ? `Did you mean ${close.key}?`
      : `Known: ${defaultsKeys.map((entry) => entry.key).join(", ")}, and x.NAME for the app.`,
  );
}

/**
 * One value as the block holds it; undefined = take the key out (an empty text, null).
 * Throws `unknown-key`, `value-too-long`, `value-not-utf8`, `value-invalid`. Messages never show a secret.
 */
export function checkValue(key: string, value: unknown): DefaultValue | undefined {
  const entry = keyOf(key);
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    throw invalid(key, "is neither text nor number nor boolean");
  const text = String(value);
  checkText(entry, text);
  if (text === "" && !entry.emptyCounts) return undefined;
  if (entry.kind === "text") return key.startsWith("x.") ? value : text;
  if (entry.kind === "boolean") {
    if (text !== "true" && text !== "false") throw invalid(key, "must be true or false");
    return text === "true";
  }
  return Number(text);
}

/** Why `value` is not taken, in words for a prompt or a list; undefined: it is. */
export function refusalOf(key: string, value: unknown): string | undefined {
  try {
    checkValue(key, value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** All of `given` over `before`. Throws what checkValue throws. */
export function mergeValues(before: Defaults, given: Readonly<Record<string, unknown>>): Defaults {
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(given)) {
    const checked = checkValue(key, value);
    if (checked === undefined) merged.delete(key);
    else merged.set(key, checked);
  }
  return Object.fromEntries(merged);
}

/** For eyes: secrets as `m********d`, as the device's log writes them. */
export function maskValue(key: string, value: DefaultValue): string {
  const text = String(value);
  if (!defaultsKeys.find((entry) => entry.key === key)?.secret || text === "") return text;
  return text.length < 3 ? "*".repeat(8) : `${text[0]}${"*".repeat(8)}${text.at(-1)}`;
}

function checkText(entry: DefaultsKey, text: string): void {
  const { key, kind, maxBytes } = entry;
  // U+FFFD is what Node makes of bytes on a command line that are not UTF-8.
  if (text.includes("\ufffd")) throw notUtf8(key);
  let bytes: number;
  try {
    bytes = measure(text);
  } catch {
    throw notUtf8(key);
  }
  if (text === "") return;
  const refused = entry.refuse?.(text);
  if (
    maxBytes !== undefined &&
    bytes > maxBytes &&
    !(key === "wifi.password" && /^[0-9a-f]{64}$/i.test(text))
  )
    throw new BroomeError(
      "value-too-long",
      `${key} takes ${bytes} bytes as UTF-8, at most ${maxBytes} fit`,
      "Shorten it.",
    );
  if (text.includes("\0")) throw invalid(key, "holds a zero character");
  if (kind === "number" && !/^\d{1,10}$/.test(text)) throw invalid(key, "must be a whole number");
  if (refused !== undefined) throw invalid(key, refused);
}

function notUtf8(key: string): BroomeError {
  return new BroomeError(
    "value-not-utf8",
    `${key} is not UTF-8 text`,
    "Write the file, or set the terminal, as UTF-8.",
  );
}

function invalid(key: string, why: string): BroomeError {
  return new BroomeError("value-invalid", `${key} ${why}`, "Correct the value.");
}
