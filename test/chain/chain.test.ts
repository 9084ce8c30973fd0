// Eight minutes of the first-boot chain's matrix and of a tenth of its power cuts, chosen by a seed; `npm run test:chain` tries them all.

import test from "ava";
import { cases } from "./matrix.js";
import { runSuite } from "./suite.js";

/** Four minutes on two cores of their own. A machine that needs more tries what it can, and says how many it left out. */
const BUDGET_MS = 480_000;
/** Fewer than these would mean that runs hang. */
const LEAST_CASES = 200;

test("no case of the first-boot chain locks its owner out, loses credentials or stores unproven ones", async (t) => {
  t.timeout(2 * BUDGET_MS);
  const { failures, ...figures } = await runSuite({
    ...{ cuts: 0.1, parallel: 2, nice: true, budgetMs: BUDGET_MS },
    say: (text) => t.log(text),
  });
  t.log(JSON.stringify(figures));
  t.deepEqual(failures, [], `seed ${figures.seed}`);
  t.true(figures.cases === cases.length || figures.skipped > 0);
  t.true(figures.cases >= LEAST_CASES);
});
