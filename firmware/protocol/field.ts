// Checks of single fields of parsed JSON: a typed value, or an error that names the field.

import { FormatError } from "../format/error.js";
import { measure } from "../format/utf8.js";

/** What a reading, a pin, a property or a setting can hold. */
export type Scalar = string | number | boolean;

const HELP = "See SPEC.md for the field's type and bounds.";

/** Throws `field-invalid` naming the field. */
export function refuse(name: string, what: string): never {
  throw new FormatError("field-invalid", `field ${name}: ${what}`, HELP);
}

/** An integer of 0 to `max`: no fraction, no text, no NaN. */
export function integer(name: string, value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max)
    refuse(name, `expected an integer of 0 to ${max}, got ${describe(value)}`);
  return value;
}

export function u32(name: string, value: unknown): number {
  return integer(name, value, 0xffffffff);
}

/** Milliseconds (of uptime, or since 1970): up to 2^53 - 1, beyond which integers are no longer exact. */
export function milliseconds(name: string, value: unknown): number {
  return integer(name, value, Number.MAX_SAFE_INTEGER);
}

/** Text of at most `max` bytes of UTF-8. */
export function text(name: string, value: unknown, max: number): string {
  if (typeof value !== "string" || value.length > max || measure(value) > max)
    refuse(name, `expected text of at most ${max} bytes, got ${describe(value)}`);
  return value;
}

/** 1 to `max` characters of [A-Za-z0-9_-]. */
export function isName(value: unknown, max: number): value is string {
  if (typeof value !== "string" || value.length < 1 || value.length > max) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    const letter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
    if (!letter && !(code >= 48 && code <= 57) && code !== 45 && code !== 95) return false;
  }
  return true;
}

/** As `isName`, but throws. */
export function nameText(name: string, value: unknown, max: number): string {
  if (!isName(value, max)) refuse(name, `expected 1 to ${max} of A-Z a-z 0-9 _ -, got ${describe(value)}`);
  return value;
}

/** `aa:bb:cc:dd:ee:ff`, lower case. */
export function macText(name: string, value: unknown): string {
  const mac = text(name, value, 17);
  const good = (c: string, i: number) => (i % 3 === 2 ? c === ":" : "0123456789abcdef".includes(c));
  if (mac.length !== 17 || ![...mac].every(good)) refuse(name, "expected aa:bb:cc:dd:ee:ff");
  return mac;
}

/** A finite number, a boolean, or text of at most `max` bytes. */
export function scalar(name: string, value: unknown, max: number): Scalar {
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return text(name, value, max);
}

/** An array of `min` to `max` elements. */
export function list(name: string, value: unknown, min: number, max: number): unknown[] {
  if (!Array.isArray(value) || value.length < min || value.length > max)
    refuse(name, `expected ${min === max ? min : `${min} to ${max}`} elements, got ${describe(value)}`);
  return value;
}

export function object(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse(name, `expected an object, got ${describe(value)}`);
  return value as Record<string, unknown>;
}

/**
 * A flat object of at most `maxMembers` scalars: names of 1 to 32 characters of [A-Za-z0-9_.-] (never `__proto__`), text of at
 * most `maxText` bytes. A copy, with own members only.
 */
export function flat(
  name: string,
  value: unknown,
  maxMembers: number,
  maxText: number,
): Record<string, Scalar> {
  const members = Object.entries(object(name, value));
  if (members.length > maxMembers) refuse(name, `${members.length} members, at most ${maxMembers}`);
  const copy: Record<string, Scalar> = {};
  for (const [key, member] of members) {
    if (key === "__proto__" || !isName(key.split(".").join("-"), 32))
      refuse(name, `member name ${describe(key)}`);
    copy[key] = scalar(`${name}.${key}`, member, maxText);
  }
  return copy;
}

/** The value in an error message: short, and never a long secret. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string") return `text of ${value.length} characters`;
  return value === null ? "null" : typeof value === "object" ? "an object" : String(value);
}
