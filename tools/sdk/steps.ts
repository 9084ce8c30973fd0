// What make and ninja say that they do, as a step of a build.

const MAKE = /^# (.+)/; // the SDK's makefiles: "# cc xsAll.c"
const NINJA = /^\[(\d+)\/(\d+)\] (.+)/; // ESP-IDF's: "[12/1043] Building C object ..."
const OBJECT = /^(Building|Linking) \S+ (?:object|static library|executable) (\S+)/;

/** In words, short; undefined: the line speaks of no step. */
export function stepOf(line: string): string | undefined {
  const made = MAKE.exec(line)?.[1];
  if (made !== undefined) return made;
  const [, number, total, what] = NINJA.exec(line) ?? [];
  if (what === undefined) return undefined;
  const [, verb, path] = OBJECT.exec(what) ?? [];
  const said = path === undefined ? what : `${verb!.toLowerCase()} ${path.slice(path.lastIndexOf("/") + 1)}`;
  return `ESP-IDF ${number} of ${total}: ${said}`;
}
