// 100,000 hostile inputs for every parser: `npm run test:fuzz`, with another seed by BROOME_SEED.
//
//   npm run test:fuzz                    all of them
//   npm run test:fuzz -- --only image    those whose name contains "image"

import { randomBytes } from "node:crypto";
import { seededRandom } from "../support/random.js";
import { CASES, parsers } from "./parsers.js";

const at = process.argv.indexOf("--only");
const only = at < 0 ? "" : (process.argv[at + 1] ?? "");
const started = Date.now();
const fallback = randomBytes(4).readUInt32LE();
let cases = 0;
let failed = 0;
let seed = fallback;

for (const parser of parsers.filter(({ name }) => name.includes(only))) {
  const random = seededRandom(fallback);
  const begun = Date.now();
  seed = random.seed;
  let wrong = 0;
  for (let i = 0; i < CASES; i += 1) {
    cases += 1;
    try {
      parser.try(random);
    } catch (error) {
      wrong += 1;
      if (wrong === 1)
        console.error(`${parser.name}, seed ${random.seed}, case ${i}: ${String((error as Error).stack)}`);
    }
  }
  failed += wrong;
  console.error(`${parser.name.padEnd(16)} ${CASES} cases, ${wrong} failed, ${Date.now() - begun} ms`);
}
console.log(JSON.stringify({ suite: "fuzz", cases, failed, skipped: 0, seed, ms: Date.now() - started }));
process.exitCode = failed === 0 && cases > 0 ? 0 : 1;
