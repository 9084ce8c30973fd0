// Stage 4: a virtual board is switched on, and the flasher writes it through its serial port.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startService } from "../child.js";
import { need, type Stage } from "../stage.js";
import { world } from "../world.js";
import { verb as flashVerb } from "../../commands/flash.js";

export const flash: Stage = {
  name: "flash",
  async run(demo) {
    const { chip, context, folder } = demo;
    const worldFile = join(folder, "world.json");
    writeFileSync(worldFile, JSON.stringify(world, null, 2));
    demo.capture = join(folder, "air.pcap");
    demo.board = await startService(
      context.root,
      [
        "sim",
        "--chip",
        chip,
        "--flash",
        join(folder, "board.flash"),
        "--world",
        worldFile,
        "--capture",
        demo.capture,
      ],
      join(folder, "sim.log"),
    );
    const port = demo.board.first.port!;
    const patched = need(demo.image, "a patched image");
    const pairs = need(demo.parts, "what was built").flatMap(({ path, offset }) => [
      String(offset),
      path.endsWith("app.bin") ? patched : path,
    ]);
    const result = (await flashVerb.run({ ...context, port }, pairs, {})) as Record<string, number | string>;
    return {
      ...result,
      text: `${result.bytesWritten} bytes (${result.bytesOnWire} on the wire) to ${result.chip} ${result.mac}${result.verified ? ", verified" : ""}`,
    };
  },
};
