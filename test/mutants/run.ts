// Removes one check at a time from a copy of the project and shows that some test goes red: `npm run test:mutants`.
//
//   npm run test:mutants                  all of them
//   npm run test:mutants -- --only join   those whose name contains "join"

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutants, type Mutant } from "./mutants.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RUN_TIMEOUT_MS = 120_000;

/** A copy of the sources in a folder of its own, with the packages and the engine of this checkout. */
function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "broome-mutants-"));
  for (const name of ["firmware", "host", "tools", "test", "package.json", "manifest.json", "tsconfig.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  for (const name of ["node_modules", ".broome"]) symlinkSync(join(root, name), join(copy, name));
  return copy;
}

/** Undefined when the mutant was killed, else what is wrong. */
function tryMutant(copy: string, mutant: Mutant): string | undefined {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, "utf8");
  const places = source.split(mutant.find).length - 1;
  if (places !== 1) return `its text occurs ${places} times in ${mutant.file}: mend the list`;
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  );
  try {
    const ava = join(root, "node_modules/ava/entrypoints/cli.mjs");
    const { status, stdout } = spawnSync(process.execPath, [ava, "--fail-fast", ...mutant.tests], {
      cwd: copy,
      encoding: "utf8",
      timeout: RUN_TIMEOUT_MS,
      env: { ...process.env, NO_COLOR: "1" },
    });
    if (status === 0) return "survived: no test went red";
    // A mutant that does not even load proves nothing about the test.
    if (!/\d+ tests? failed/.test(stdout)) return `no test ran to a failure: ${stdout.slice(-300)}`;
    return undefined;
  } finally {
    writeFileSync(path, source);
  }
}

function main(): number {
  const at = process.argv.indexOf("--only");
  const only = at < 0 ? "" : (process.argv[at + 1] ?? "");
  const chosen = mutants.filter(({ name }) => name.includes(only));
  const started = Date.now();
  const copy = copyOfProject();
  let failed = 0;
  try {
    for (const mutant of chosen) {
      const wrong = tryMutant(copy, mutant);
      if (wrong) failed += 1;
      console.error(`${wrong ? "✗" : "✓"} ${mutant.name}${wrong ? `: ${wrong}` : ""}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  const ms = Date.now() - started;
  console.log(JSON.stringify({ suite: "mutants", cases: chosen.length, failed, skipped: 0, seed: null, ms }));
  return failed === 0 && chosen.length > 0 ? 0 : 1;
}

process.exitCode = main();
