// `npm run test:chain [-- --only PATTERN]`: all cases and all power cuts, with the figures; without a pattern, a thousand transfers by
// each version of ESP-Touch through bad air as well.

import { availableParallelism, loadavg } from "node:os";
import { LIMITS_MS, LOSS, SEED, transfers } from "../tools/smartconfig/transfers.js";
import { runSuite } from "./suite.js";

const TRANSFERS = 1_000;

/** Prints the figures; true where every transfer was in time and right. */
function throughBadAir(version: 1 | 2): boolean {
  const { failures, ...figures } = transfers(version, TRANSFERS, SEED);
  for (const failure of failures) process.stderr.write(`failed: ESP-Touch v${version}: ${failure}\n`);
  const limitMs = LIMITS_MS[version];
  process.stdout.write(`${JSON.stringify({ suite: "transfers", ...figures, loss: LOSS, limitMs })}\n`);
  return failures.length === 0 && figures.max <= limitMs;
}

const [flag, pattern] = process.argv.slice(2);
if (flag !== undefined && (flag !== "--only" || pattern === undefined)) {
  process.stderr.write("usage: npm run test:chain [-- --only PATTERN]\n");
  process.exit(2);
}
const { failures, ...figures } = await runSuite({
  cuts: 1,
  ...(pattern === undefined ? {} : { only: new RegExp(pattern) }),
  parallel: availableParallelism(),
  say: (text) => void process.stderr.write(`${text}\n`),
});
for (const failure of failures) process.stderr.write(`failed: ${failure}\n`);
const load = loadavg().map((value) => Math.round(value * 10) / 10);
process.stdout.write(
  `${JSON.stringify({ suite: "chain", ...figures, cores: availableParallelism(), load })}\n`,
);
const heard = pattern !== undefined || [throughBadAir(1), throughBadAir(2)].every(Boolean);
process.exit(figures.failed === 0 && heard ? 0 : 1);
