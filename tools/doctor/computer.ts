// Node and the C compiler: what everything here needs, the virtual board included.

import { compilerHelp } from "../engine/cc.js";
import { bad, good, type Finding } from "./finding.js";
import type { Probes } from "./probes.js";

const LEAST_NODE = [20, 17] as const; // package.json, "engines"

/** What tools/engine/compiler.ts links to find out whether 32-bit programs can be made. */
const SMALL_PROGRAM = "#include <stdio.h>\n#include <math.h>\nint main(void) { return 0; }\n";

export function checkNode({ nodeVersion }: Probes): Finding {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const [least, leastMinor] = LEAST_NODE;
  if (major > least || (major === least && minor >= leastMinor)) return good("node", true, nodeVersion);
  return bad(
    "node",
    true,
    `${nodeVersion} is too old`,
    `Install Node ${least}.${leastMinor} or newer: https://nodejs.org`,
  );
}

/** The compiler that builds the engine, and whether it makes 32-bit programs: then memory figures are the chip's. */
export async function checkCompiler(probes: Probes): Promise<Finding[]> {
  const candidates = probes.env.CC ? [probes.env.CC] : ["cc", "gcc", "clang"];
  for (const command of candidates) {
    const version = await probes.run(command, ["--version"]);
    if (version?.status !== 0) continue;
    const name = version.stdout.split("\n")[0]!.trim();
    const small = await probes.run(
      command,
      ["-m32", "-x", "c", "-", "-o", "/dev/null", "-lm"],
      SMALL_PROGRAM,
    );
    return [
      good("compiler", true, `${command}: ${name}`),
      small?.status === 0
        ? good("compiler-32-bit", false, `${command} -m32 works`)
        : bad(
            "compiler-32-bit",
            false,
            `${command} -m32 does not link: the virtual board runs on a 64-bit engine, its memory figures are not the chip's`,
            compilerHelp(),
          ),
    ];
  }
  return [bad("compiler", true, `none of ${candidates.join(", ")} can be run`, compilerHelp())];
}
