// Templates: which padded placeholders another project's binary holds, and what may take their place. Pure.

import { measure } from "../../firmware/format/utf8.js";
import { BroomeError } from "../error.js";

export interface Field {
  /** The placeholder without its padding: how it is found, and what --set and --from call it. */
  readonly name: string;
  /** Bytes with the padding; undefined = whatever the binary has, one space at least. */
  readonly width?: number;
  /** Another name that --set, --from and the environment may use: a defaults key of our own images. */
  readonly alias?: string;
  /** What a prompt asks for. */
  readonly title: string;
  /** `integer` and `decimal` are written as ASCII text. */
  readonly kind: "text" | "integer" | "decimal";
  readonly min?: number;
  readonly max?: number;
  /** Never on a command line, masked when shown. */
  readonly secret?: true;
  /** The value must fill the placeholder. */
  readonly full?: true;
  /** Taken where nothing is given. */
  readonly default?: string;
  /** The field is meant only where the binary holds this other placeholder too (`with`), or does not (`without`). */
  readonly with?: string;
  readonly without?: string;
  /** The placeholder may stand in a longer text. */
  readonly within?: true;
}

export interface Template {
  readonly name: string;
  readonly fields: readonly Field[];
}

export const MAX_FIELDS = 64;
const MIN_NAME = 4; // characters: shorter ones occur in code by chance
const MAX_NAME = 64;
const MAX_TEXT = 128;
const DAY_SECONDS = 86_400;

/**
 * The placeholders of rin67630's ESP_Binary_patcher: the first five of its first version, then those that came later. The width is
 * what the binary has (16 and 24 in the first five, 24 and 8 later), so it is not written here. CLOUDNAM is the account at the cloud
 * service in binaries that have no DEVCUSER, and the service's host in those that have.
 */
export const espBinaryPatcher: Template = {
  name: "thinger",
  fields: [
    { name: "WIFISSID", alias: "wifi.ssid", title: "Wi-Fi network (SSID)", kind: "text" },
    { name: "WIFIPASS", alias: "wifi.password", title: "Wi-Fi password", kind: "text", secret: true },
    { name: "DEVCNAME", alias: "device.name", title: "Device name", kind: "text" },
    {
      name: "CLOUDNAM",
      title: "Cloud host",
      kind: "text",
      default: "iot.thinger.io",
      with: "DEVCUSER",
    },
    { name: "CLOUDNAM", title: "Cloud user name", kind: "text", without: "DEVCUSER" },
    { name: "DEVCUSER", title: "Cloud user name", kind: "text" },
    { name: "DEVCCRED", title: "Device credentials", kind: "text", secret: true },
    {
      name: "TZ_OFF",
      title: "Offset from Greenwich, seconds",
      kind: "integer",
      min: -DAY_SECONDS / 2,
      max: (DAY_SECONDS * 14) / 24,
    },
    {
      name: "DST_OFF",
      title: "The same in summer, seconds",
      kind: "integer",
      min: -DAY_SECONDS / 2,
      max: (DAY_SECONDS * 15) / 24,
    },
    { name: "LONGTD", title: "Longitude, degrees east", kind: "decimal", min: -180, max: 180 },
    { name: "LATITD", title: "Latitude, degrees north", kind: "decimal", min: -90, max: 90 },
    { name: "OWMAPI", title: "Key of OpenWeatherMap", kind: "text", secret: true, full: true },
  ],
};

/** Templates that need no file. */
export const builtInTemplates: readonly Template[] = [espBinaryPatcher];

/** Throws `template-invalid`, which names the field. */
export function parseTemplate(text: string, name: string): Template {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(`${name} is not JSON`);
  }
  const fields = isObject(json) ? json.fields : undefined;
  if (!Array.isArray(fields) || fields.length === 0 || fields.length > MAX_FIELDS)
    throw invalid(`${name} holds no list "fields" of 1 to ${MAX_FIELDS}`);
  const parsed = fields.map((field, i) => parseField(field, `${name}, field ${i}`));
  parsed.forEach((field, i) => {
    const twin = parsed.findIndex((other) => other.name === field.name);
    if (twin !== i && !(field.with ?? field.without)) throw invalid(`${name} names ${field.name} twice`);
  });
  return { name, fields: parsed };
}

/**
 * Why `value` cannot take the place of a placeholder of `width` bytes; undefined = it can. Messages never show a value.
 */
export function refuseValue(
  field: Field,
  width: number,
  value: string,
): { code: string; why: string } | undefined {
  let bytes: number;
  try {
    bytes = measure(value);
  } catch {
    return { code: "value-not-utf8", why: "is not UTF-8 text" };
  }
  if (value.includes("\ufffd")) return { code: "value-not-utf8", why: "is not UTF-8 text" };
  if (value.includes("\0")) return { code: "value-invalid", why: "holds a zero character" };
  if (bytes > width) return { code: "value-too-long", why: `takes ${bytes} bytes as UTF-8, ${width} fit` };
  if (field.full && bytes !== width)
    return { code: "value-invalid", why: `has ${bytes} bytes, and must have ${width}` };
  if (field.kind === "text") return undefined;
  return refuseNumber(field, value);
}

function refuseNumber({ kind, min, max }: Field, value: string): { code: string; why: string } | undefined {
  const pattern = kind === "integer" ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/;
  if (!pattern.test(value))
    return {
      code: "value-invalid",
      why: kind === "integer" ? "must be a whole number" : "must be a number like 48.7356",
    };
  const number = Number(value);
  if (number < (min ?? -Infinity) || number > (max ?? Infinity))
    return { code: "value-invalid", why: `must be ${min ?? "any"} to ${max ?? "any"}` };
  return undefined;
}

function parseField(json: unknown, where: string): Field {
  if (!isObject(json)) throw invalid(`${where} is no object`);
  const placeholder = textOf(json, "placeholder", where, MAX_NAME);
  const name = placeholder?.trimEnd() ?? "";
  if (name.length < MIN_NAME || !/^[\x21-\x7e]+$/.test(name))
    throw invalid(`${where}: "placeholder" must be ${MIN_NAME} to ${MAX_NAME} ASCII characters, then spaces`);
  const kind = textOf(json, "kind", where) ?? "text";
  if (kind !== "text" && kind !== "integer" && kind !== "decimal")
    throw invalid(`${where}: "kind" must be text, integer or decimal`);
  const unknown = Object.keys(json).find((key) => !FIELD_KEYS.includes(key));
  if (unknown !== undefined) throw invalid(`${where}: there is no "${unknown}"`);
  const alias = textOf(json, "alias", where, MAX_NAME);
  const fallback = textOf(json, "default", where);
  const [min, max] = [numberOf(json, "min", where), numberOf(json, "max", where)];
  const [companion, rival] = [
    textOf(json, "with", where, MAX_NAME),
    textOf(json, "without", where, MAX_NAME),
  ];
  return {
    name,
    width: placeholder!.length,
    title: textOf(json, "title", where) ?? name,
    kind,
    ...(alias !== undefined && { alias }),
    ...(fallback !== undefined && { default: fallback }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(companion !== undefined && { with: companion }),
    ...(rival !== undefined && { without: rival }),
    ...(flagOf(json, "secret", where) && { secret: true }),
    ...(flagOf(json, "full", where) && { full: true }),
    ...(flagOf(json, "within", where) && { within: true }),
  };
}

const FIELD_KEYS = [
  ...["placeholder", "alias", "title", "kind", "min", "max", "secret", "full", "default", "with", "without"],
  "within",
];

type Json = Readonly<Record<string, unknown>>;

function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function textOf(json: Json, key: string, where: string, max = MAX_TEXT): string | undefined {
  const value = json[key];
  if (value === undefined || (typeof value === "string" && value.length <= max)) return value;
  throw invalid(`${where}: "${key}" must be a text of at most ${max} characters`);
}

function numberOf(json: Json, key: string, where: string): number | undefined {
  const value = json[key];
  if (value === undefined || typeof value === "number") return value;
  throw invalid(`${where}: "${key}" must be a number`);
}

function flagOf(json: Json, key: string, where: string): boolean {
  const value = json[key];
  if (value === undefined || typeof value === "boolean") return value === true;
  throw invalid(`${where}: "${key}" must be true or false`);
}

function invalid(message: string): BroomeError {
  return new BroomeError(
    "template-invalid",
    message,
    'Write {"fields": [{"placeholder": "WIFISSID        ", "title": "Network"}, ...]}; SPEC.md has the rest.',
  );
}
