// Step 1 of the chain: networks that worked before. They are never erased for failing.

import type { LogStore } from "../store/log-store.js";
import { loadNetworks } from "./networks.js";
import type { Network } from "./networks.js";
import type { Step } from "./step.js";

export class StoredStep implements Step {
  readonly name = "stored";
  private readonly store: LogStore;

  constructor(store: LogStore) {
    this.store = store;
  }

  networks(): Network[] {
    return loadNetworks(this.store);
  }
}
