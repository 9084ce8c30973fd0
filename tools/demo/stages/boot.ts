// Stage 5: reset; the bytecode that lies in the flash runs, and the chain finds the network.

import { openPort } from "../../serial/open.js";
import { need, type Stage } from "../stage.js";

const BOOT_TIMEOUT_MS = 20_000;

export const boot: Stage = {
  name: "boot",
  async run(demo) {
    const port = await openPort(need(demo.board, "a board").first.port!, { baudRate: 115200 });
    demo.uart.attach(port);
    const mark = demo.uart.mark;
    await port.setLines({ dtr: false, rts: true }); // EN low: reset, as a monitor does when it starts
    await new Promise((resolve) => setTimeout(resolve, 100));
    await port.setLines({ dtr: false, rts: false });
    const [, slot, version] = await demo.uart.waitFor(
      /boot: slot=(\S+) version=(\S+)/,
      BOOT_TIMEOUT_MS,
      mark,
    );
    const [, stored] = await demo.uart.waitFor(/chain: step=stored result=(\S+)/, BOOT_TIMEOUT_MS, mark);
    const [, result, ms] = await demo.uart.waitFor(
      /chain: step=defaults result=(\S+).*ms=(\d+)/,
      BOOT_TIMEOUT_MS,
      mark,
    );
    if (stored !== "none" || result !== "online")
      throw new Error(`chain: stored=${stored} defaults=${result}`);
    return {
      slot,
      version,
      onlineMs: Number(ms),
      text: `${slot} ${version}; stored: none, defaults: online in ${ms} ms`,
    };
  },
};
