// A lock file between processes: who gets it, and whose is void.

import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tryLock } from "../../tools/process-lock.js";

const folder = mkdtempSync(join(tmpdir(), "broome-process-lock-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const NOBODY = "999999999 -\n"; // more than any system's highest process id
const TAKERS = 4;
const ROUNDS = 60;

test("a void lock is taken by one, however many want it", async (t) => {
  const path = join(folder, "contended.lock");
  const counts = join(folder, "counts");
  const module = pathToFileURL(join(process.cwd(), "tools/process-lock.ts")).href;
  // Each taker makes the lock void when it has it, after a look whether it is alone with it.
  const script = `
    import { openSync, closeSync, rmSync, writeFileSync } from "node:fs";
    import { tryLock } from ${JSON.stringify(module)};
    let taken = 0;
    for (const end = Date.now() + 120_000; taken < ${ROUNDS} && Date.now() < end;) {
      const lock = tryLock(${JSON.stringify(path)});
      if (typeof lock !== "function") { await new Promise((done) => setImmediate(done)); continue; }
      closeSync(openSync(${JSON.stringify(counts)}, "wx")); // throws where another has it as well
      taken += 1;
      rmSync(${JSON.stringify(counts)});
      writeFileSync(${JSON.stringify(path)}, ${JSON.stringify(NOBODY)});
    }
    if (taken < ${ROUNDS}) process.exit(2);`;
  writeFileSync(path, NOBODY);
  const takers = Array.from({ length: TAKERS }, () =>
    spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  const errors: string[] = [];
  for (const { stderr } of takers) stderr.on("data", (text) => errors.push(String(text)));
  const codes = await Promise.all(takers.map(async (taker) => (await once(taker, "close"))[0] as number));
  t.deepEqual(
    codes,
    takers.map(() => 0),
    errors.join(""),
  );
  rmSync(path, { force: true });
  t.deepEqual(readdirSync(folder), [], "nothing is left beside it");
});

test("a lock that names nobody yet belongs to somebody, and later to nobody", (t) => {
  const path = join(folder, "new.lock");
  writeFileSync(path, "");
  t.deepEqual(tryLock(path), { pid: undefined });
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path, longAgo, longAgo);
  const unlock = tryLock(path);
  if (typeof unlock !== "function") return t.fail(`held by ${unlock.pid}`);
  t.deepEqual(tryLock(path), { pid: process.pid });
  unlock();
});
