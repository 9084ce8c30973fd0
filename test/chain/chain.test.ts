// A minute of `npm run test:chain`: as much of the matrix as fits, and a tenth of the power cuts, chosen by a seed.

import test from "ava";
import { runSuite } from "./suite.js";

const MATRIX_MS = 45_000;
/** Fewer than these would mean that runs hang. */
const LEAST_CASES = 20;

test("no case of the first-boot chain locks its owner out, loses credentials or stores unproven ones", async (t) => {
  t.timeout(170_000);
  const { failures, ...figures } = await runSuite({
    cuts: 0.1,
    parallel: 2,
    budgetMs: MATRIX_MS,
    say: (text) => t.log(text),
  });
  t.log(JSON.stringify(figures));
  t.deepEqual(failures, [], `seed ${figures.seed}`);
  t.true(figures.cases >= LEAST_CASES);
});
