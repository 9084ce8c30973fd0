// Order of versions (Semantic Versioning 2.0.0, section 11): what is newer, for updates.

/** Longest version: the app descriptor keeps 31 bytes and a zero. */
export const MAX_VERSION = 31;

const PATCH = 2; // index of the last number
const PRE_RELEASE = 3;
const BUILD = 4;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;

/**
 * True for MAJOR.MINOR.PATCH with an optional -pre.release and +build, at most 31 characters (sections 2, 9, 10). One pass
 * without calls: the device's stack is small.
 */
export function isVersion(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MAX_VERSION) return false;
  let part = 0;
  let start = 0;
  let digits = true; // since `start`
  for (let i = 0; i <= value.length; i++) {
    const code = i < value.length ? value.charCodeAt(i) : POINT;
    const opens = code === MINUS ? part === PATCH : code === PLUS && part >= PATCH && part < BUILD;
    if (code === POINT || opens) {
      if (i === start || (part <= PATCH && !digits)) return false;
      if (digits && i - start > 1 && value.charCodeAt(start) === ZERO && part !== BUILD) return false;
      if (opens) part = code === MINUS ? PRE_RELEASE : BUILD;
      else if (i < value.length && part === PATCH) return false;
      else if (i < value.length && part < PATCH) part += 1;
      start = i + 1;
      digits = true;
    } else if (code < ZERO || code > NINE) {
      digits = false;
      if (!(code >= 65 && code <= 90) && !(code >= 97 && code <= 122) && code !== MINUS) return false;
    }
  }
  return part >= PATCH;
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

/** Digits only: the parts are known to be well-formed. */
function isNumber(part: string): boolean {
  for (let i = 0; i < part.length; i++)
    if (part.charCodeAt(i) < ZERO || part.charCodeAt(i) > NINE) return false;
  return true;
}
