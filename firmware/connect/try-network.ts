// One attempt at one network: association, then an address, each within its time. Nothing is stored or erased here.

import type { Address, Station, Timer } from "../device/types.js";
import type { Network } from "./networks.js";

export interface Limits {
  associationMs: number;
  addressMs: number;
}

export interface Attempt {
  /** Undefined: it failed, for `reason`. */
  address: Address | undefined;
  /** "online", or a reason of CONTRACT.md's vocabulary with the raw code in brackets where there is one. */
  reason: string;
}

/** `onLost` is called at most once, and only after the attempt ended well. */
export function tryNetwork(
  parts: { station: Station; timer: Timer },
  network: Network,
  limits: Limits,
  onLost: (reason: string) => void,
): Promise<Attempt> {
  const { station, timer } = parts;
  return new Promise((resolve) => {
    let over = false;
    let limit: unknown = undefined;
    const end = (address: Address | undefined, reason: string) => {
      if (over) return;
      over = true;
      timer.clear(limit);
      if (!address) station.leave();
      resolve({ address, reason });
    };
    limit = timer.set(() => end(undefined, "timeout"), limits.associationMs);
    station.join(
      { ssid: network.ssid, password: network.password },
      {
        associated() {
          if (over) return;
          timer.clear(limit);
          limit = timer.set(() => end(undefined, "no-address"), limits.addressMs);
        },
        address: (address) => end(address, "online"),
        lost(raw) {
          const reason = `${station.reason(raw)} (${raw})`;
          if (over) onLost(reason);
          else end(undefined, reason);
        },
      },
    );
  });
}
