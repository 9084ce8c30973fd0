// Step 1 of the chain: networks that worked before. They are never erased for failing.

import type { LogStore } from "../store/log-store.js";
import { networkNote } from "./network-notes.js";
import { loadNetworks } from "./networks.js";
import type { Known } from "./plan.js";

/** Newest first. */
export function storedNetworks(store: LogStore): Known[] {
  return loadNetworks(store).map(({ ssid, password }) => {
    return { ssid, password, step: "stored", rank: networkNote(store, ssid)?.boot ?? 0 };
  });
}
