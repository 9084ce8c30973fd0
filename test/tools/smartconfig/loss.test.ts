// ESP-Touch through bad air: how long it takes until a whole transfer is heard when 30 % of the frames are lost. A sample of what
// `npm run test:chain` does a thousand times.

import test from "ava";
import { LIMITS_MS, LOSS, SEED, transfers } from "./transfers.js";

const RUNS = 100;

for (const version of [1, 2] as const)
  test(`v${version} at ${LOSS * 100} % loss: ${RUNS} transfers, each within ${LIMITS_MS[version] / 1000} s, none heard wrong`, (t) => {
    const { failures, ...figures } = transfers(version, RUNS, SEED);
    t.log(JSON.stringify(figures));
    t.deepEqual(failures, []);
    t.true(figures.max <= LIMITS_MS[version], `${figures.max} ms`);
  });
