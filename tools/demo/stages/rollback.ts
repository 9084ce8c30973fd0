// Stage 9: 1.0.2 pins a server that is not there; the trial fails and the board goes back by itself.

import { need, type Stage } from "../stage.js";
import { publish, raise } from "./ota.js";
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
    interface Pins {
      pins: { pin: string; value: string }[];
    }
    const { pins } = await need(demo.admin, "a server").poll<Pins>(
      `/api/devices/${demo.deviceId}/pins`,
      "the report of the rollback",
      ROLLBACK_TIMEOUT_MS,
      (value) =>
        value.pins.some(({ pin, value: text }) => pin === "V101" && JSON.parse(text).state === "rolled-back"),
    );
    const status = JSON.parse(pins.find(({ pin }) => pin === "V101")!.value) as { reason: string };
    if (cause !== "rollback") throw new Error(`the board says that it started for ${cause}`);
    demo.facts.rollback = { from: "1.0.1", rejected: "1.0.2", to: "1.0.1", reason: status.reason };
    return {
      slot,
      reason: status.reason,
      text: `1.0.2 gave up after ${trial.deadlineMs} ms (300000 on a real board), back on 1.0.1 in ${slot}: ${status.reason}`,
    };
  },
};
