// The firmware on the virtual board: memory by phase, bytecode instructions a sync, time to the network.

import { askBoard } from "../../tools/simulator/control.js";
import { Rig } from "../system/rig.js";
import type { Bench } from "./bench.js";

const ESP8266_STATIC = 32_768; // bytes
const STACK_SHARE = 0.9; // of its slots: what the measured paths may take, for those that are not

interface Status {
  arena: { peak: Record<string, number>; limit: number };
  stack: { peak: Record<string, number>; limit: number };
  meter: number;
}

export const firmware: Bench = {
  name: "firmware",
  async run(say) {
    const rig = new Rig();
    try {
      const server = await rig.serve();
      const built = await rig.build("1.0.0");
      const app = await rig.patch(built, rig.values(server));
      const board = await rig.board("bench");
      const { bytesWritten } = await rig.flash(board, built, app);
      const log = await rig.listen(board, true);
      const [, ms] = await log.waitFor(/chain: step=defaults result=online ms=(\d+)/, 20_000);
      await rig.approve(server, log);
      const status = async () =>
        (await askBoard(board.first.control!, { op: "status" })) as unknown as Status;
      const accepted = async () =>
        Number(/sync_accepted(?:_total)? (\d+)/.exec(await server.admin.text("/metrics"))?.[1] ?? 0);
      const [meter, syncs] = [(await status()).meter, await accepted()];
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const after = await status();
      const meterPerSync = Math.round((after.meter - meter) / Math.max(1, (await accepted()) - syncs));
      const { peak, limit } = after.arena;
      const { stack } = after;
      say(
        `arena ${JSON.stringify(peak)} of ${limit}; stack ${JSON.stringify(stack.peak)} of ${stack.limit}; ${meterPerSync} instructions a sync; on line in ${ms} ms`,
      );
      const highest = (Math.max(...Object.values(peak)) / limit) * ESP8266_STATIC;
      return {
        ok: highest <= ESP8266_STATIC && Math.max(...Object.values(stack.peak)) <= STACK_SHARE * stack.limit,
        arena: { peak, limit },
        stack,
        meterPerSync,
        bootToOnlineMs: Number(ms),
        imageBytes: bytesWritten,
      };
    } finally {
      await rig.end();
    }
  },
};
