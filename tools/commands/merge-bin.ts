// `broome merge-bin -o OUT OFFSET FILE ...`: several files as one, as flash would hold them.

import { BroomeError } from "../error.js";
import { mergeRegions } from "../esptool/merge.js";
import type { Verb } from "../verb.js";
import { regionsOf } from "./flash-regions.js";
import { parseAddress, parseSize } from "./numbers.js";
import { writePrivately } from "../private-file.js";

export const verb: Verb = {
  name: "merge-bin",
  summary: "several files as one, to be written at one offset",
  configure(command) {
    command
      .argument("[offset-file...]", "offsets in flash and the files that go there, in pairs")
      .option("--dir <folder>", "all files of a build (build.json)")
      .requiredOption("-o, --output <file>", "the file to write")
      .option("--target-offset <address>", "where the file will be written in flash", "0")
      .option("--pad-to-size <size>", "fill it up with FF to the size of the flash (4MB)")
      .option("--format <format>", "raw, the only one", "raw");
  },
  async run(context, args, options) {
    if (options.format !== "raw")
      throw new BroomeError("usage", `--format ${options.format} is not supported`, "Use raw.");
    const regions = regionsOf(context, args, options.dir as string | undefined, "merge-bin");
    const merged = mergeRegions(regions, {
      targetOffset: parseAddress(options.targetOffset as string),
      padTo: parseSize((options.padToSize as string | undefined) ?? "0", 0),
    });
    const out = options.output as string;
    writePrivately(out, merged);
    context.log(`Wrote ${merged.length} bytes to ${out}, ready to flash at ${options.targetOffset}`);
    const files = regions.map(({ name, offset, data }) => ({ path: name, offset, size: data.length }));
    return { out, size: merged.length, files };
  },
};
