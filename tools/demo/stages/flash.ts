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
    const { context, folder } = demo;
    const worldFile = join(folder, "world.json");
    writeFileSync(worldFile, JSON.stringify(world, null, 2));
    demo.capture = join(folder, "air.pcap");
    demo.board = await startService(
      context.root,
      [
        "sim",
        "--chip",
        "esp32c3",
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
    const built = join(folder, "1.0.0");
    const parts = [
      ["0x8000", join(built, "partition-table.bin")],
      ["0xe000", join(built, "ota_data_initial.bin")],
      ["0x10000", need(demo.image, "a patched image")],
    ];
    const result = (await flashVerb.run({ ...context, port }, parts.flat(), {})) as Record<
      string,
      number | string
    >;
    return {
      ...result,
      text: `${result.bytesWritten} bytes (${result.bytesOnWire} on the wire) to ${result.chip} ${result.mac}, verified`,
    };
  },
};
