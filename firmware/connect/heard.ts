// A scan as people are shown it: each name once.

import type { ScanList } from "../device/types.js";
import { sameBytes } from "./networks.js";

/** The strongest access point of a name stands for all of them: scans are sorted. */
export function isFirstOfItsName(found: ScanList, place: number): boolean {
  const ssid = found.ssid(place);
  for (let before = 0; before < place; before += 1) if (sameBytes(found.ssid(before), ssid)) return false;
  return true;
}

/** Where the `number`-th name stands, counted from 1; -1 where there are not so many. */
export function placeOf(found: ScanList, number: number): number {
  let count = 0;
  for (let place = 0; place < found.length; place += 1) {
    if (!isFirstOfItsName(found, place)) continue;
    count += 1;
    if (count === number) return place;
  }
  return -1;
}
