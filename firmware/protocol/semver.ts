// Order of versions (Semantic Versioning 2.0.0, section 11): what is newer, for updates.

/** Longest version: the app descriptor keeps 31 bytes and a zero. */
export const MAX_VERSION = 31;

/** True for MAJOR.MINOR.PATCH with an optional -pre.release and +build, at most 31 characters (sections 2, 9, 10). */
export function isVersion(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MAX_VERSION) return false;
  const plus = value.indexOf("+");
  if (
    plus >= 0 &&
    !value
      .slice(plus + 1)
      .split(".")
      .every(isIdentifier)
  )
    return false;
  const bare = plus < 0 ? value : value.slice(0, plus);
  const dash = bare.indexOf("-");
  if (
    dash >= 0 &&
    !bare
      .slice(dash + 1)
      .split(".")
      .every(isPreRelease)
  )
    return false;
  const core = (dash < 0 ? bare : bare.slice(0, dash)).split(".");
  return core.length === 3 && core.every(isNumber);
}

/** Below 0 where `a` comes before `b`, 0 where neither does. Both must be versions. */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = partsOf(a);
  const [coreB, preB] = partsOf(b);
  for (let i = 0; i < 3; i++) {
    const order = compareNumbers(coreA[i]!, coreB[i]!);
    if (order !== 0) return order;
  }
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length;
  for (let i = 0; i < preA.length && i < preB.length; i++) {
    const order = compareIdentifiers(preA[i]!, preB[i]!);
    if (order !== 0) return order;
  }
  return preA.length - preB.length;
}

function partsOf(version: string): [string[], string[]] {
  const bare = version.split("+")[0]!;
  const dash = bare.indexOf("-");
  return dash < 0 ? [bare.split("."), []] : [bare.slice(0, dash).split("."), bare.slice(dash + 1).split(".")];
}

/** Numbers as text of any length, without leading zeros. */
function compareNumbers(a: string, b: string): number {
  return a.length !== b.length ? a.length - b.length : a < b ? -1 : a > b ? 1 : 0;
}

function compareIdentifiers(a: string, b: string): number {
  const numericA = isNumber(a);
  if (numericA !== isNumber(b)) return numericA ? -1 : 1;
  if (numericA) return compareNumbers(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function isPreRelease(part: string): boolean {
  return isIdentifier(part) && (isNumber(part) || !isDigits(part));
}

function isNumber(part: string): boolean {
  return isDigits(part) && (part.length === 1 || part[0] !== "0");
}

function isDigits(part: string): boolean {
  for (let i = 0; i < part.length; i++) if (part[i]! < "0" || part[i]! > "9") return false;
  return part.length > 0;
}

function isIdentifier(part: string): boolean {
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!;
    if (!((c >= "0" && c <= "9") || (c >= "A" && c <= "Z") || (c >= "a" && c <= "z") || c === "-"))
      return false;
  }
  return part.length > 0;
}
