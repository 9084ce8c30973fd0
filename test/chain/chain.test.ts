// All of the matrix of the first-boot chain, and a tenth of the power cuts, chosen by a seed; `npm run test:chain` tries them all.

import test from "ava";
import { cases } from "./matrix.js";
import { runSuite } from "./suite.js";

test("no case of the first-boot chain locks its owner out, loses credentials or stores unproven ones", async (t) => {
  t.timeout(1_500_000); // a busy machine
  const { failures, ...figures } = await runSuite({
    ...{ cuts: 0.1, parallel: 2, nice: true },
    say: (text) => t.log(text),
  });
  t.log(JSON.stringify(figures));
  t.deepEqual(failures, [], `seed ${figures.seed}`);
  t.is(figures.cases, cases.length);
  t.true(figures.cuts > 0);
});
