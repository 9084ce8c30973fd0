// What `npm run demo`, `npm test` and the other npm scripts do: set up what is missing, saying so, then run.
// Plain JavaScript: it must run on a fresh clone, before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkNode, fail } from "./start.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const broome = join(root, "tools/bin/broome.mjs");
const [script, ...args] = process.argv.slice(2);

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a program to its end with our terminal; resolves to its exit code. Signals are passed on. */
function run(command, argv, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, argv, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
    const pass = (signal) => child.kill(signal);
    process.on("SIGTERM", pass).on("SIGINT", () => {}); // Ctrl-C reaches the child by itself
    child.on("error", (error) =>
      fail("cannot-start", `cannot start ${command}: ${error.message}`, "Is it installed?"),
    );
    child.on("close", (code, signal) => resolve(signal === "SIGINT" ? 130 : (code ?? 1)));
  });
}

/** npm ci, once for each state of the lock file. */
function installPackages() {
  const stampFile = join(root, "node_modules/.broome-lock");
  const stamp = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  say("packages  installing from package-lock.json (once, about 150 MB) ...");
  const started = Date.now();
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status, error } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0)
    fail(
      "install-failed",
      `npm ci failed: ${error?.message ?? `exit ${status}`}`,
      "Is npm's registry reachable from here?",
    );
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  say(`packages  installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const bin = (name) => join(root, "node_modules", name);
const node = process.execPath;

const scripts = {
  demo: () => run(node, [broome, "demo", ...args]),
  async test() {
    const engine = await run(node, [broome, "engine"]);
    if (engine !== 0) return engine;
    return run(node, [bin("ava/entrypoints/cli.mjs"), ...args], { NODE_NO_WARNINGS: "1" });
  },
  async check() {
    const steps = [
      ["types: firmware", bin("typescript/bin/tsc"), "--noEmit", "-p", "firmware"],
      [
        "types: boards, npm's typings",
        bin("typescript/bin/tsc"),
        "--noEmit",
        "-p",
        "firmware/tsconfig.boards.json",
      ],
      ["types: seam's contract", bin("typescript/bin/tsc"), "--noEmit", "-p", "test/contract/device"],
      ["types: tools, host, test", bin("typescript/bin/tsc"), "--noEmit", "-p", "."],
      ["types: page", bin("typescript/bin/tsc"), "--noEmit", "-p", "host/web"],
      ["lint", bin("eslint/bin/eslint.js"), "."],
      ["format", bin("prettier/bin/prettier.cjs"), "--check", "--log-level", "warn", "."],
      ["import table", bin("ava/entrypoints/cli.mjs"), "test/architecture/*.test.ts"],
    ];
    for (const [name, ...argv] of steps) {
      say(`check     ${name}`);
      const code = await run(node, argv);
      if (code !== 0) return code;
    }
    return 0;
  },
  bench: () => run(node, ["--import=tsx", join(root, "test/bench/run.ts"), ...args]),
  fuzz: () => run(node, ["--import=tsx", join(root, "test/fuzz/run.ts"), ...args]),
  chain: () => run(node, ["--import=tsx", join(root, "test/chain/run.ts"), ...args]),
  isa: () => run(node, ["--import=tsx", join(root, "test/isa/run.ts"), ...args], { NODE_NO_WARNINGS: "1" }),
  sdk: () => run(node, ["--import=tsx", join(root, "test/sdk/run.ts"), ...args]),
  mutants: () => run(node, ["--import=tsx", join(root, "test/mutants/run.ts"), ...args]),
};

if (!(script in scripts))
  fail("usage", `no script "${script}"`, `One of: ${Object.keys(scripts).join(", ")}`);
checkNode();
installPackages();
process.exit(await scripts[script]());
