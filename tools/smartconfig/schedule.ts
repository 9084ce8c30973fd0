// When a sender sends what, as Espressif's apps do (EsptouchForAndroid: EsptouchTaskParameter, EspProvisionerImpl).

import { GUIDE_CODES } from "./v1.js";

/** One datagram: its payload's length, and how long to wait behind it. */
export interface Datagram {
  readonly length: number; // bytes
  readonly waitMs: number;
}

const V1_INTERVAL_MS = 8;
const V1_GUIDE_MS = 2_000;
const V1_DATA_MS = 4_000;
const V1_CODE_LENGTHS = 3; // datagrams that belong together
const V2_INTERVAL_MS = 15;

/** Guide codes for two seconds, data for four, and again; without end. */
export function* v1Schedule(data: readonly number[]): Generator<Datagram, never> {
  let next = 0;
  for (;;) {
    for (let ms = 0; ms < V1_GUIDE_MS; ms += GUIDE_CODES.length * V1_INTERVAL_MS) yield* paced(GUIDE_CODES);
    for (let ms = 0; ms < V1_DATA_MS; ms += V1_CODE_LENGTHS * V1_INTERVAL_MS) {
      yield* paced(data.slice(next, next + V1_CODE_LENGTHS));
      next = (next + V1_CODE_LENGTHS) % data.length;
    }
  }
}

function* paced(lengths: readonly number[]): Generator<Datagram> {
  for (const length of lengths) yield { length, waitMs: V1_INTERVAL_MS };
}

/** Round after round, without end. (The app slows down after 45 s; a chip that has missed some needs more, not less.) */
export function* v2Schedule(round: readonly number[]): Generator<Datagram, never> {
  const last = round.length - 1;
  for (;;)
    for (const [i, length] of round.entries())
      yield { length, waitMs: i === last ? 2 * V2_INTERVAL_MS : V2_INTERVAL_MS };
}
