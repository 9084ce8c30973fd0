// Stage 1: XS's sources and our C host on them, built once for this machine.

import { prepareEngine } from "../../engine/engine.js";
import type { Stage } from "../stage.js";

export const engine: Stage = {
  name: "engine",
  async run(demo) {
    const started = Date.now();
    let total = 0;
    let progress: ReturnType<typeof demo.context.progress> | undefined;
    demo.engine = await prepareEngine({
      cacheDir: demo.context.cacheDir,
      onProgress(done, of, what) {
        total = of;
        progress ??= demo.context.progress("engine   ", of, "files");
        progress.update(done);
        if (!demo.context.tty && (done === 1 || done === of)) demo.note(`${what} (${done}/${of})`);
      },
    });
    progress?.end();
    const { xs, bits } = demo.engine;
    const built = total > 0;
    return {
      xs,
      bits,
      built,
      text: `XS ${xs}, ${bits}-bit${bits === 64 ? " (no 32-bit compiler here: arena enlarged)" : ""}, ${
        built ? `built in ${((Date.now() - started) / 1000).toFixed(1)} s` : "cached"
      }`,
    };
  },
};
