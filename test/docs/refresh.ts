// Writes the examples of SPEC.md anew, after a change that was meant: npx tsx test/docs/refresh.ts

import { writeFileSync } from "node:fs";
import { examples } from "./examples.js";
import { readSpec, SPEC_FILE, withTexts } from "./spec-file.js";

const texts = new Map<string, string>();
for (const [name, { make }] of Object.entries(examples)) if (make) texts.set(name, await make());
writeFileSync(
  SPEC_FILE,
  withTexts(readSpec(), (name) => texts.get(name)),
);
