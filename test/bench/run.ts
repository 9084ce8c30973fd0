// `npm run bench [-- --only NAME] [--json]`: measures side by side in one run; never a test.

import type { Bench } from "./bench.js";
import { build } from "./build.js";
import { curve25519 } from "./curve25519.js";
import { firmware } from "./firmware.js";
import { flashBench } from "./flash.js";
import { patch } from "./patch.js";

const benches: readonly Bench[] = [build, curve25519, patch, firmware, flashBench];
const planned = ["sync", "ota", "server"];

async function main(argv: string[]): Promise<number> {
  const at = argv.indexOf("--only");
  const only = at < 0 ? undefined : argv[at + 1];
  const chosen = benches.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    const why = planned.includes(only!) ? "not there yet" : "not a bench";
    console.error(`${only}: ${why}. There are: ${benches.map(({ name }) => name).join(", ")}`);
    if (argv.includes("--json"))
      console.log(JSON.stringify({ bench: only, ok: false, code: "not-there-yet" }));
    return 1;
  }
  let ok = true;
  for (const bench of chosen) {
    console.error(bench.name);
    const figures = await bench.run((text) => console.error(`  ${text}`));
    ok &&= figures.ok;
    console.log(JSON.stringify({ bench: bench.name, ...figures }));
  }
  return ok ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
