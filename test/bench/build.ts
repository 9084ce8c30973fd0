// TypeScript to a verified image: with the type check from nothing, and with it cached.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { Rig, root } from "../system/rig.js";
import { medianMs, type Bench } from "./bench.js";

const RUNS = 3;

export const build: Bench = {
  name: "build",
  async run(say) {
    const rig = new Rig();
    try {
      const typeCheck = join(root, ".broome/type-check");
      const coldMs = await medianMs(RUNS, async () => {
        rmSync(typeCheck, { recursive: true, force: true });
        await rig.build("1.0.0");
      });
      say(`cold (types checked from nothing): ${coldMs} ms`);
      const incrementalMs = await medianMs(RUNS, () => rig.build("1.0.0"));
      say(`again: ${incrementalMs} ms`);
      const { files } = await rig.verb("build", "--version", "1.0.0", "--out", rig.path("out"));
      const bytes = (files as { path: string; size: number }[]).find(({ path }) =>
        path.endsWith("app.bin"),
      )!.size;
      // DeviceScript's CLI, the peer, is not installed here: its ratio is not measured.
      return { ok: true, coldMs, incrementalMs, bytes };
    } finally {
      await rig.end();
    }
  },
};
