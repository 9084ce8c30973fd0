// Finds the padded placeholders of a template in a finished image, and fills them. Pure.
//
// A placeholder is a C string: its name, spaces up to its width, a zero. A value is written over it and padded with zeros. The name
// as a part of another word ("TZ_OFFSET"), or as a word without padding (a key in code), is none.

import type { Sha256 } from "../../firmware/format/hash.js";
import { encodeUtf8 } from "../../firmware/format/utf8.js";
import { BroomeError } from "../error.js";
import { applyEdits, type Edit, type Opened, type Patched } from "./edits.js";
import { imageAround } from "./images.js";
import { refuseValue, type Field, type Template } from "./template.js";

export interface Placeholder {
  readonly field: Field;
  /** Of each occurrence in the file. */
  readonly places: readonly { readonly offset: number; readonly width: number }[];
  /** Bytes that a value may take: the width of the narrowest. */
  readonly width: number;
}

const SPACE = 0x20;
const MAX_PLACES = 1000;

/**
 * The placeholders of `template` that the file holds, in the template's order.
 * Throws `placeholder-missing` where there is none, `placeholder-ambiguous` where one cannot be told from another text.
 */
export function findPlaceholders(opened: Opened, template: Template): Placeholder[] {
  const places = new Map<string, Placeholder["places"]>();
  for (const field of template.fields)
    if (!places.has(field.name)) places.set(field.name, placesOf(opened, field));
  const holds = (name: string) => (places.get(name)?.length ?? 0) > 0;
  const found = template.fields
    .filter((field) => holds(field.name))
    .filter((field) => (field.with ? holds(field.with) : !field.without || !holds(field.without)))
    .map((field) => {
      const own = places.get(field.name)!;
      return { field, places: own, width: Math.min(...own.map(({ width }) => width)) };
    });
  if (found.length > 0) return found;
  throw new BroomeError(
    "placeholder-missing",
    `the image holds none of the placeholders of ${template.name}: ${[...places.keys()].join(", ")}`,
    "Take the file as it was distributed (a patched one has none left), or another --template.",
  );
}

/**
 * The file with `values`, by name of field, in every occurrence; fields without a value stay as they are.
 * Throws `unknown-key`, `placeholder-missing`, `value-too-long`, `value-not-utf8`, `value-invalid`.
 */
export function fillPlaceholders(
  opened: Opened,
  found: readonly Placeholder[],
  values: ReadonlyMap<string, string>,
  sha256: Sha256,
): Patched {
  const edits: Edit[] = [];
  for (const { field, places, width } of found) {
    const value = values.get(field.name);
    if (value === undefined) continue;
    checkValueOf(field, width, value);
    for (const place of places) {
      const bytes = new Uint8Array(place.width);
      bytes.set(encodeUtf8(value));
      edits.push({ offset: place.offset, bytes, what: field.name });
    }
  }
  return applyEdits(opened, edits, sha256);
}

/** Throws `value-too-long`, `value-not-utf8`, `value-invalid`. Messages never show the value. */
export function checkValueOf(field: Field, width: number, value: string): void {
  const refused = refuseValue(field, width, value);
  if (refused) throw new BroomeError(refused.code, `${field.name} ${refused.why}`, "Correct the value.");
}

function placesOf(opened: Opened, field: Field): Placeholder["places"] {
  const { file, images } = opened;
  const name = encodeUtf8(field.name);
  const places: { offset: number; width: number }[] = [];
  for (let at = indexOf(file, name, 0); at >= 0; at = indexOf(file, name, at + name.length)) {
    let end = at + name.length;
    while (file[end] === SPACE) end++;
    if (end - at === name.length && (field.width ?? 0) !== name.length) continue;
    const trouble = troubleAt(file, field, at, end);
    if (trouble !== undefined) throw ambiguous(field, at, trouble);
    if (imageAround(images, at, end - at) === undefined)
      throw ambiguous(field, at, "lies in no app: in a file system or store, whose own sums are not known");
    places.push({ offset: at, width: end - at });
    if (places.length > MAX_PLACES) throw ambiguous(field, at, `is one of over ${MAX_PLACES}`);
  }
  return places;
}

/** Why the text at `at`, whose padding ends at `end`, is no placeholder of its own. */
function troubleAt(file: Uint8Array, field: Field, at: number, end: number): string | undefined {
  if (file[end] !== 0) return "is not padded with spaces up to the end of its text";
  if (field.width !== undefined && field.width !== end - at)
    return `is ${end - at} bytes long, the template says ${field.width}`;
  if (!field.within && at > 0 && isPrintable(file[at - 1]!)) return "is the end of a longer text";
  return undefined;
}

function isPrintable(byte: number): boolean {
  return byte >= SPACE && byte <= 0x7e;
}

function ambiguous(field: Field, at: number, why: string): BroomeError {
  return new BroomeError(
    "placeholder-ambiguous",
    `${field.name} at 0x${at.toString(16)} ${why}`,
    'If it is one all the same, say so in a template file ("within": true), or ask the maker of the binary.',
  );
}

function indexOf(file: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = file.indexOf(wanted[0]!, from); at >= 0; at = file.indexOf(wanted[0]!, at + 1)) {
    let same = 1;
    while (same < wanted.length && file[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}
