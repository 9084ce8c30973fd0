// `broome engine`: fetches XS's sources and builds our host on them, now rather than at the first build.

import { prepareEngine } from "../engine/engine.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  name: "engine",
  summary: "fetch and build the JavaScript engine now",
  configure() {},
  async run(context) {
    const started = Date.now();
    const progress = context.progress("engine", 1, "files");
    let announced = false;
    const engine = await prepareEngine({
      cacheDir: context.cacheDir,
      onProgress(done, total, what) {
        if (!announced) context.log("engine    building XS and its host, once ...");
        announced = true;
        progress.update(total === 0 ? 0 : done / total);
        if (!context.tty && done === total) context.log(`engine    ${what}`);
      },
    });
    progress.end();
    const ms = Date.now() - started;
    context.log(`engine    XS ${engine.xs}, ${engine.bits}-bit, ${ms} ms`);
    return { xs: engine.xs, bits: engine.bits, binary: engine.binary, ms };
  },
};
