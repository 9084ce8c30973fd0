// Step 3 of the chain: credentials from a phone by ESP-Touch, where the platform can.

import type { SmartConfig } from "../device/types.js";
import type { Base } from "../store/base.js";
import { networkFault } from "./networks.js";
import type { Network } from "./networks.js";
import type { Radio, Step, StepResult } from "./step.js";

export class SmartConfigStep implements Step {
  readonly name = "smartconfig";
  private readonly base: Base;

  constructor(base: Base) {
    this.base = base;
  }

  async ask(radio: Radio, _pass: number, patienceMs: number): Promise<StepResult> {
    const { smartconfig } = this.base.device;
    if (!smartconfig) return { reason: "not-available" };
    const heard = await this.listen(smartconfig, patienceMs);
    if (typeof heard === "string" || networkFault(heard)) {
      smartconfig.stop();
      return { reason: typeof heard === "string" ? heard : "none" };
    }
    const attempt = await radio.attempt(heard);
    if (!attempt.address) smartconfig.stop();
    else {
      smartconfig.acknowledge();
      radio.keep(heard, attempt);
    }
    return attempt;
  }

  private listen(smartconfig: SmartConfig, patienceMs: number): Promise<Network | string> {
    const { timer } = this.base.device;
    return new Promise((resolve) => {
      const end = (heard: Network | string) => {
        timer.clear(limit);
        resolve(heard);
      };
      const limit = timer.set(() => end("timeout"), patienceMs);
      smartconfig.start({
        credentials: ({ ssid, password }) => end({ ssid, password }),
        failed: (raw) => end(`timeout (${raw})`),
      });
    });
  }
}
