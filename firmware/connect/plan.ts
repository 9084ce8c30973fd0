// Which of the known networks are tried, and in what order: pure, over what the store and the last scan say.

import type { ScanList } from "../device/types.js";
import { crc32 } from "../format/crc32.js";
import { sameBytes } from "./networks.js";
import type { Network } from "./networks.js";

/** A network that the device knows credentials of. */
export interface Known extends Network {
  step: "stored" | "defaults";
  /** What counts among those that are equally near: the number of the start in which it last worked, or whose turn it is. */
  rank: number;
  /** Signal in the last scan, dBm; undefined: not heard, so away or hidden. */
  rssi?: number;
}

/** Enters the signals of a scan, the strongest where several access points bear one name. */
export function enterSignals(known: readonly Known[], found: ScanList | undefined): void {
  for (const network of known) network.rssi = undefined;
  for (let place = 0; place < (found?.length ?? 0); place += 1) {
    const ssid = found!.ssid(place);
    const rssi = found!.rssi(place);
    for (const network of known)
      if (sameBytes(ssid, network.ssid) && !(network.rssi! >= rssi)) network.rssi = rssi;
  }
}

/**
 * Those that are heard come before those that are not (which may be hidden); among them those whose appearance is news; then by
 * rank; then the strongest. Sorts in place.
 *
 * @param before what `heardNow` gave for the scan before; undefined: nothing is news
 * @param first the step whose networks come before all others; undefined: it does not matter
 */
export function byProspect(
  known: Known[],
  before: readonly number[] | undefined,
  first?: Known["step"],
): Known[] {
  const late = ({ step }: Known) => Number(first !== undefined && step !== first);
  const away = ({ rssi }: Known) => Number(rssi === undefined);
  const old = ({ ssid, rssi }: Known) =>
    Number(rssi === undefined || before?.includes(crc32(ssid)) !== false);
  return known.sort(
    (a, b) =>
      late(a) - late(b) ||
      away(a) - away(b) ||
      old(a) - old(b) ||
      b.rank - a.rank ||
      (b.rssi ?? 0) - (a.rssi ?? 0),
  );
}

/** CRC-32 of the names that are heard: short enough to keep until the next scan. */
export function heardNow(known: readonly Known[]): number[] {
  return known.filter(({ rssi }) => rssi !== undefined).map(({ ssid }) => crc32(ssid));
}

/** Each has its turn: ranks that begin at the `turn`-th. */
export function rankByTurn(known: readonly Known[], turn: number): void {
  for (let i = 0; i < known.length; i += 1)
    known[i]!.rank = -((i + known.length - (turn % known.length)) % known.length);
}
