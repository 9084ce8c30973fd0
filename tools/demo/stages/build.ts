// Stage 2: firmware/ to an image for esp32c3, with the public half of keys made for this run alone.

import { join } from "node:path";
import { runVerb } from "../child.js";
import type { Stage } from "../stage.js";
import { keysOf, startVariants } from "../variants.js";

export const build: Stage = {
  name: "build",
  async run(demo) {
    const { context, folder } = demo;
    const log = join(folder, "build.log");
    await runVerb(context.root, ["keys", "init", "--demo"], log, keysOf(folder));
    const out = join(folder, "1.0.0");
    const result = await runVerb(
      context.root,
      ["build", "--chip", "esp32c3", "--version", "1.0.0", "--out", out],
      log,
      keysOf(folder),
    );
    const files = result.files as { path: string; size: number }[];
    demo.image = join(out, "app.bin");
    startVariants(demo);
    const app = files.find(({ path }) => path.endsWith("app.bin"))!;
    return {
      bytes: app.size,
      files: files.length,
      text: `esp32c3 1.0.0, ${app.size} bytes, ${files.length} files`,
    };
  },
};
