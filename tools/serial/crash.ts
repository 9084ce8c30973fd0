// Places in a crash of the firmware, "module:line", as files and lines of the maker's source, where that is at hand.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A place that a line of the board names, and what stands there. */
export interface Place {
  readonly file: string; // relative to the project
  readonly line: number;
  readonly text: string;
}

const MAX_PLACES = 16;
const CRASH = /Guru Meditation Error|\bException\b|\babort\b|stack overflow|memory full/;
const FRAME = /\b((?:firmware|device|sdk)\/[\w./-]*\w):(\d{1,6})\b/g;
/** Where a module's source may be, by the beginning of its name. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ["firmware/", "firmware/"],
  ["device/", "firmware/device/virtual/"],
  ["sdk/", "firmware/device/sdk/"],
];

/** The places that `line` names, innermost first; none where it tells of no crash, or the source is not in `root`. */
export function placesOf(line: string, root: string): Place[] {
  if (!CRASH.test(line)) return [];
  const places: Place[] = [];
  for (const [, module, number] of line.matchAll(FRAME)) {
    if (places.length === MAX_PLACES) break;
    const place = placeOf(module!, Number(number), root);
    if (place) places.push(place);
  }
  return places;
}

function placeOf(module: string, line: number, root: string): Place | undefined {
  if (module.split("/").includes("..")) return undefined; // the board's text names no other files of this computer
  for (const [prefix, folder] of FOLDERS) {
    if (!module.startsWith(prefix)) continue;
    const file = `${folder}${module.slice(prefix.length)}.ts`;
    const path = join(root, file);
    if (!existsSync(path)) return undefined;
    const text = readFileSync(path, "utf8").split("\n")[line - 1];
    return text === undefined ? undefined : { file, line, text: text.trim() };
  }
  return undefined;
}
