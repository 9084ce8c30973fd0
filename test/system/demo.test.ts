// `npm run demo` is the main job; two of them side by side do not disturb each other.

import test from "ava";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./rig.js";
import { runDemo, stageNames } from "./run-demo.js";

/** What differs from run to run, taken away: figures, codes, ids, addresses. */
function shape(text: string): string[] {
  return text
    .split("\n")
    .map((line) =>
      line
        .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "MAC")
        .replace(/identity \S+/, "identity ID")
        .replace("differ: defaults, SHA-256", "differ: defaults, checksum, SHA-256") // one image of 256 keeps its checksum
        .replace(/(XS [\d.]+), (?:32|64)-bit.*/, "$1, BITS") // and whether it was cached, or the arena enlarged
        .replace(/(?<![\w.])\d+(\.\d+)?(?![\w.])/g, "N")
        .replace(/:\d+$/, ":N")
        .trimEnd(),
    )
    .filter((line) => line !== "");
}

test("two demos at once both do all of it", async (t) => {
  for (const { code, result, text } of await Promise.all([runDemo(), runDemo()])) {
    t.is(code, 0, text);
    t.true(result.ok);
    t.deepEqual(
      result.stages.map(({ name, ok }) => [name, ok]),
      stageNames.map((name) => [name, true]),
    );
    t.true(result.telemetry.accepted >= 3);
    t.like(result.telemetry, { duplicate: 1, replayRejected: 1 });
    t.deepEqual(result.ota, { from: "1.0.0", to: "1.0.1", confirmed: true });
    t.like(result.rollback, { from: "1.0.1", rejected: "1.0.2", to: "1.0.1" });
    t.truthy(result.rollback.reason);
    const readme = /^```demo\n([^]*?)^```/m.exec(readFileSync(join(root, "README.md"), "utf8"))![1]!;
    const real = shape(text);
    const end = real.findIndex((line) => line.startsWith("All of it"));
    t.deepEqual(real.slice(0, end), shape(readme), "README.md shows what the demo says");
  }
});
