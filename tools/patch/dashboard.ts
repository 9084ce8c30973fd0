// Personalises a dashboard template: JSON, alone or in a .h file, whose texts hold words that stand for the owner's names. Pure.
//
// Only whole words in values of texts are replaced. A plain replacement of bytes would also change keys, and the "Device" in
// "DeviceStats".

import { BroomeError } from "../error.js";

export interface Personalised {
  readonly text: string;
  /** By word, how often it was replaced. */
  readonly replaced: ReadonlyMap<string, number>;
  /** By word, how often it is part of a longer one, or a key, and was left alone. */
  readonly left: ReadonlyMap<string, number>;
}

export const MAX_DASHBOARD_SIZE = 4 << 20; // bytes of a template
const WORD = /^[A-Za-z][A-Za-z0-9_]{2,31}$/;
const MAX_VALUE = 256; // characters
const MAX_TRIES = 8; // brackets of C in front of the JSON, and behind it
/** A text in JSON; one that is not closed in its line is none. */
const STRING = /"(?:[^"\\\n]|\\.)*"/g;

/** Why `word` cannot be replaced, or `value` not take its place; undefined = all is well. */
export function refuseReplacement(word: string, value: string): string | undefined {
  if (!WORD.test(word)) return `"${word}" is no word of 3 to 32 letters, digits and _`;
  if (value === "" || value.length > MAX_VALUE)
    return `the value of ${word} must have 1 to ${MAX_VALUE} characters`;
  if (/[\u0000-\u001f\u007f\ufffd]/.test(value)) return `the value of ${word} holds a control character`;
  return undefined;
}

/**
 * `text` with every word of `words` replaced by its value. All are replaced at once: a value that is another's word stays.
 * Throws `dashboard-invalid` where there is no JSON in it.
 */
export function personaliseDashboard(
  text: string,
  words: ReadonlyMap<string, string>,
  name: string,
): Personalised {
  const { start, end } = jsonIn(text, name);
  const replaced = new Map<string, number>();
  const left = new Map<string, number>();
  const count = (counts: Map<string, number>, word: string) => counts.set(word, (counts.get(word) ?? 0) + 1);
  const pattern = new RegExp([...words.keys()].join("|"), "g");

  const replaceIn = (content: string) =>
    content.replace(pattern, (word, at: number) => {
      const isWhole = !isWordLetter(content[at - 1]) && !isWordLetter(content[at + word.length]);
      count(isWhole ? replaced : left, word);
      return isWhole ? words.get(word)! : word;
    });
  const json = text.slice(start, end).replace(STRING, (literal, at: number) => {
    const content = JSON.parse(literal) as string;
    if (!pattern.test(content)) return literal;
    pattern.lastIndex = 0;
    if (isKey(text, start + at + literal.length)) {
      for (const word of content.match(pattern) ?? []) count(left, word);
      return literal;
    }
    const result = replaceIn(content);
    return result === content ? literal : JSON.stringify(result);
  });
  return { text: text.slice(0, start) + json + text.slice(end), replaced, left };
}

/** The JSON in `text`, which is all of it, or in a .h file what C has around it. Throws `dashboard-invalid`. */
function jsonIn(text: string, name: string): { start: number; end: number } {
  const found = name.endsWith(".h") ? embeddedJson(text) : { start: 0, end: text.length };
  if (found !== undefined && isJson(text.slice(found.start, found.end))) return found;
  throw new BroomeError(
    "dashboard-invalid",
    `${name} holds no JSON, or damaged JSON`,
    "Export the dashboard again; one template a file.",
  );
}

/** The first piece that is JSON and around which there is only C: comments, directives, and the quotes of one string. */
function embeddedJson(text: string): { start: number; end: number } | undefined {
  const starts = positions(text, /[{[]/g).slice(0, MAX_TRIES);
  const ends = positions(text, /[}\]]/g).slice(-MAX_TRIES).reverse();
  for (const start of starts)
    for (const last of ends) {
      const end = last + 1;
      if (end - start <= 2 || !isJson(text.slice(start, end))) continue;
      const around = (text.slice(0, start) + text.slice(end)).replace(/^\s*(#|\/\/).*$/gm, "");
      return positions(around, /"/g).length <= 2 ? { start, end } : undefined;
    }
  return undefined;
}

function positions(text: string, letters: RegExp): number[] {
  return Array.from(text.matchAll(letters), ({ index }) => index);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isWordLetter(letter: string | undefined): boolean {
  return letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
}

function isKey(text: string, at: number): boolean {
  while (/\s/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}
