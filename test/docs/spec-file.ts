// The examples of SPEC.md: fenced blocks whose info string is "<language> example=<name>".

import { readFileSync } from "node:fs";

export const SPEC_FILE = new URL("../../SPEC.md", import.meta.url);

/** A block of SPEC.md: its text without the fences. */
export interface Block {
  language: string;
  name: string;
  text: string;
}

const BLOCK = /^```(\w+) example=([\w-]+)\n([\s\S]*?)^```$/gm;

export function readSpec(): string {
  return readFileSync(SPEC_FILE, "utf8");
}

export function blocksOf(spec: string): Block[] {
  return [...spec.matchAll(BLOCK)].map(([, language, name, text]) => ({
    language: language!,
    name: name!,
    text: text!.replace(/\n$/, ""),
  }));
}

/** `spec` with the text of every block replaced by what `textOf` gives for its name; undefined leaves it alone. */
export function withTexts(spec: string, textOf: (name: string) => string | undefined): string {
  return spec.replace(BLOCK, (whole, language: string, name: string) => {
    const text = textOf(name);
    return text === undefined ? whole : `\`\`\`${language} example=${name}\n${text}\n\`\`\``;
  });
}

/** The cells of the rows of the table that follows the first line holding `heading`. */
export function tableAfter(spec: string, heading: string): string[][] {
  const start = spec.indexOf(heading);
  if (start < 0) throw new Error(`SPEC.md has no "${heading}"`);
  const table = /\n\n((?:\|.*\n)+)/.exec(spec.slice(start))?.[1] ?? "";
  return table
    .trimEnd()
    .split("\n")
    .slice(2)
    .map((row) =>
      row
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const PER_LINE = 16; // bytes

/** Bytes as lines of offset, bytes, meaning: a line begins at each field; equal bytes beyond one line are counted. */
export function dump(
  bytes: Uint8Array,
  fields: readonly (readonly [length: number, meaning: string])[],
): string {
  const lines: string[] = [];
  let at = 0;
  for (const [length, meaning] of fields) {
    const end = length < 0 ? bytes.length : at + length;
    let said = meaning;
    while (at < end) {
      const [text, step] = line(bytes, at, end);
      lines.push(`${at.toString(16).padStart(4, "0")}  ${said === "" ? text : text.padEnd(49) + said}`);
      said = "";
      at += step;
    }
  }
  if (at !== bytes.length) throw new Error(`the fields end at ${at}, the bytes at ${bytes.length}`);
  return lines.join("\n");
}

function line(bytes: Uint8Array, at: number, end: number): [text: string, length: number] {
  let same = 1;
  while (at + same < end && bytes[at + same] === bytes[at]) same += 1;
  if (same > PER_LINE) return [`${hex(bytes.subarray(at, at + 1))} × ${same}`, same];
  const part = bytes.subarray(at, Math.min(end, at + PER_LINE));
  return [hex(part, " "), part.length];
}

/** The bytes of a dump. */
export function undump(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const row of text.split("\n")) {
    const match = /^([0-9a-f]{4,}) {2}([0-9a-f]{2}(?: [0-9a-f]{2})*)(?: × (\d+))?(?: {2,}.*)?$/.exec(row);
    if (!match) throw new Error(`no line of a dump: ${row}`);
    if (parseInt(match[1]!, 16) !== bytes.length)
      throw new Error(`offset ${match[1]} after ${bytes.length} bytes`);
    const part = match[2]!.split(" ").map((digits) => parseInt(digits, 16));
    if (match[3] === undefined) bytes.push(...part);
    else bytes.push(...new Array<number>(Number(match[3])).fill(part[0]!));
  }
  return Uint8Array.from(bytes);
}

export function hex(bytes: Uint8Array, between = ""): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(between);
}

const WIDTH = 100; // columns

/** A long token over several lines; SPEC.md says that the line ends are not part of it. */
export function folded(token: string): string {
  return token.replace(new RegExp(`(.{${WIDTH}})(?=.)`, "g"), "$1\n");
}

export function unfolded(text: string): string {
  return text.replaceAll("\n", "");
}

/** Lines "name  value", the values in one column. */
export function list(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
}

/** The value of a line of `list`. */
export function valueOf(text: string, name: string): string {
  const found = text.split("\n").find((row) => row.startsWith(`${name}  `));
  if (found === undefined) throw new Error(`no line ${name}`);
  return found.slice(name.length).trim();
}
