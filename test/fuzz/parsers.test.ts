// A seeded tenth of `npm run test:fuzz`: no parser crashes, hangs, or accepts what is damaged.

import test from "ava";
import { seededRandom } from "../support/random.js";
import { CASES, parsers } from "./parsers.js";

for (const parser of parsers)
  test(`${parser.name}: ${CASES / 10} hostile inputs`, (t) => {
    const random = seededRandom(20261127);
    for (let i = 0; i < CASES / 10; i += 1)
      try {
        parser.try(random);
      } catch (error) {
        t.fail(`case ${i} of seed ${random.seed}: ${String((error as Error).stack)}`);
        return;
      }
    t.pass();
  });
