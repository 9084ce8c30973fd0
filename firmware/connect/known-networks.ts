// What the store and the patched defaults together tell the chain: which networks there are, and how long each may take.

import { defaultValues, isFresh, NETWORK_PART, numberDefault } from "../store/defaults-record.js";
import type { LogStore } from "../store/log-store.js";
import { defaultNetwork } from "./defaults.js";
import { sameBytes } from "./networks.js";
import type { Known } from "./plan.js";
import { storedNetworks } from "./stored.js";
import type { Limits } from "./try-network.js";

/** In the first pass; the defaults may say otherwise. */
const ASSOCIATION_MS = 20_000;
const ADDRESS_MS = 10_000;
const MOST_MS = 60_000;

/**
 * In the order of the steps, one that is there twice named once.
 *
 * @param trial a patched network that has never worked comes first
 */
export function knownNetworks(store: LogStore, trial: boolean): Known[] {
  const stored = storedNetworks(store);
  const patched = defaultNetwork(store);
  if (!patched) return stored;
  const same = stored.findIndex(
    ({ ssid, password }) => password === patched.password && sameBytes(ssid, patched.ssid),
  );
  if (!trial || !isFresh(store, NETWORK_PART)) return same >= 0 ? stored : [...stored, patched];
  if (same >= 0) stored.splice(same, 1);
  return [patched, ...stored];
}

/** How long an attempt of the first pass may take. */
export function firstLimits(store: LogStore): Limits {
  const values = defaultValues(store);
  return {
    associationMs: Math.min(MOST_MS, numberDefault(values, "wifi.associationMs", ASSOCIATION_MS)),
    addressMs: Math.min(MOST_MS, numberDefault(values, "wifi.addressMs", ADDRESS_MS)),
  };
}
