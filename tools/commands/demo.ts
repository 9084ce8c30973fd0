// `broome demo`: the main job, end to end, on a virtual board.

import { chipByName, chipNames, defaultChip } from "../chips/registry.js";
import type { Verb } from "../verb.js";
import { runDemo } from "../demo/demo.js";

export const verb: Verb = {
  name: "demo",
  summary: "the main job, end to end, on a virtual board",
  configure(command) {
    command
      .option("--keep", "leave the server and the board running")
      .option("--chip <chip>", `of the board: ${chipNames().join(", ")}`, defaultChip);
  },
  run: (context, _args, options) =>
    runDemo(context, { keep: options.keep === true, chip: chipByName(options.chip as string).name }),
};
