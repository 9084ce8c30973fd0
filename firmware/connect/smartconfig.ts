// Step 3 of the chain: credentials from a phone by ESP-Touch, where the platform can.

import type { SmartConfig, Timer } from "../device/types.js";
import type { Step, StepResult } from "./step.js";

export function smartConfigStep(smartconfig: SmartConfig | undefined, timer: Timer): Step {
  return {
    name: "smartconfig",
    run: (pass) => {
      if (!smartconfig) return Promise.resolve<StepResult>({ reason: "not-available" });
      return new Promise((resolve) => {
        const limit = timer.set(() => {
          smartconfig.stop();
          resolve({ reason: "timeout" });
        }, pass.patienceMs);
        smartconfig.start({
          credentials(ssid, password) {
            timer.clear(limit);
            smartconfig.stop();
            resolve(pass.attempt({ ssid, password }));
          },
          failed(raw) {
            timer.clear(limit);
            smartconfig.stop();
            resolve({ reason: `timeout (${raw})` });
          },
        });
      });
    },
  };
}
