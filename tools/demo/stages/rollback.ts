// Stage 9: 1.0.2 pins a server that is not there; the trial fails and the board goes back by itself.

import type { Stage } from "../stage.js";
import { publish, raise, reportedPin } from "./ota.js";
import { trial } from "./patch.js";

const ROLLBACK_TIMEOUT_MS = 60_000;

export const rollback: Stage = {
  name: "rollback",
  async run(demo) {
    const { uart } = demo;
    await publish(demo, "1.0.2");
    const mark = uart.mark;
    await raise(demo, "v100", "1.0.2");
    await uart.waitFor(/boot: slot=\S+ version=1\.0\.2/, ROLLBACK_TIMEOUT_MS, mark);
    const [, slot, cause] = await uart.waitFor(
      /boot: slot=(\S+) version=1\.0\.1 cause=(\S+)/,
      ROLLBACK_TIMEOUT_MS,
      mark,
    );
    const status = await reportedPin<{ state: string; reason: string }>(
      demo,
      "V101",
      ({ state }) => state === "rolled-back",
    );
    if (cause !== "rollback") throw new Error(`the board says that it started for ${cause}`);
    demo.facts.rollback = { from: "1.0.1", rejected: "1.0.2", to: "1.0.1", reason: status.reason };
    return {
      slot,
      reason: status.reason,
      text: `1.0.2 gave up after ${trial.deadlineMs} ms (300000 on a real board), back on 1.0.1 in ${slot}: ${status.reason}`,
    };
  },
};
