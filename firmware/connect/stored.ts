// Step 1 of the chain: networks that worked before. They are never erased for failing.

import type { LogStore } from "../store/log-store.js";
import { loadNetworks } from "./networks.js";
import type { Step, StepResult } from "./step.js";

export function storedStep(store: LogStore): Step {
  return {
    name: "stored",
    async run(pass) {
      let last: StepResult = { reason: "none" };
      for (const network of loadNetworks(store)) {
        last = await pass.attempt(network);
        if (last.address) break;
      }
      return last;
    },
  };
}
