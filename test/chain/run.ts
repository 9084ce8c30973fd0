// `npm run test:chain [-- --only PATTERN]`: all cases and all power cuts, with the figures.

import { availableParallelism } from "node:os";
import { runSuite } from "./suite.js";

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
process.stdout.write(`${JSON.stringify({ suite: "chain", ...figures })}\n`);
process.exit(figures.failed === 0 ? 0 : 1);
