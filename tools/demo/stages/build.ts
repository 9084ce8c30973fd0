// Stage 2: firmware/ to an image for the chip, with the public half of keys made for this run alone.

import { join } from "node:path";
import { runVerb } from "../child.js";
import type { Stage } from "../stage.js";
import { keysOf, startVariants } from "../variants.js";

export const build: Stage = {
  name: "build",
  async run(demo) {
    const { chip, context, folder } = demo;
    const log = join(folder, "build.log");
    await runVerb(context.root, ["keys", "init", "--demo"], log, keysOf(folder));
    const out = join(folder, "1.0.0");
    const result = await runVerb(
      context.root,
      ["build", "--chip", chip, "--version", "1.0.0", "--out", out],
      log,
      keysOf(folder),
    );
    const files = result.files as { path: string; offset: number; size: number }[];
    demo.parts = files;
    demo.image = join(out, "app.bin");
    startVariants(demo);
    const app = files.find(({ path }) => path.endsWith("app.bin"))!;
    return {
      bytes: app.size,
      files: files.length,
      text: `${chip} 1.0.0, ${app.size} bytes, ${files.length} files`,
    };
  },
};
