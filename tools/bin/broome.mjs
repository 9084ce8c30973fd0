#!/usr/bin/env node
// Starts the `broome` command from built code, which is built again by esbuild when its sources have changed.
// Plain JavaScript: it must run before anything is built or installed.

import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { checkNode, fail } from "./start.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const sources = ["tools", "host", "firmware/format", "firmware/protocol"];
/** Packages with native code, or with files that they look for beside them; the others are bundled: a file each is slow to load. */
const notBundled = ["@fastify/*", "esbuild", "esptool-js", "fastify", "libsql", "serialport", "typescript"];
/** What bundled CommonJS packages call for Node's own modules. */
const BANNER = [
  'import { createRequire as requireOfBundle } from "node:module";',
  "const require = requireOfBundle(import.meta.url);",
].join("\n");
/** commander loads it, and with it half of Node's network, for subcommands that are programs of their own; there are none. */
const withoutPrograms = {
  name: "commander-without-programs",
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]commander[\\/]/.test(importer) ? { path, namespace: "nothing" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "nothing" }, () => ({ contents: "module.exports = {};" }));
  },
};
const KEEP_OLD_BUILDS_MS = 24 * 3600 * 1000; // a running `broome serve` may still load its lazy parts

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/\.(ts|tsx|mjs|json|html|css|svg|c|h)$/.test(entry.name)) yield path;
  }
}

/** Changes whenever a source file is added, removed or written. */
function stampOfSources() {
  const hash = createHash("sha256");
  for (const folder of [...sources, "package-lock.json"]) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    for (const file of statSync(path).isDirectory() ? files(path) : [path]) {
      const { mtimeMs, size } = statSync(file);
      hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(outdir) {
  const { build } = await import("esbuild");
  const temporary = `${outdir}.${randomBytes(4).toString("hex")}`;
  await build({
    absWorkingDir: root,
    entryPoints: { cli: "tools/cli.ts" },
    outdir: temporary,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: notBundled,
    banner: { js: BANNER },
    plugins: [withoutPrograms],
    sourcemap: "linked",
    outExtension: { ".js": ".mjs" },
    logLevel: "silent",
  });
  try {
    renameSync(temporary, outdir);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(outdir)) throw error; // else another process built the same at the same time
  }
}

function removeOldBuilds(folder, current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (
      path !== current &&
      name.startsWith("cli-") &&
      Date.now() - statSync(path).mtimeMs > KEEP_OLD_BUILDS_MS
    )
      rmSync(path, { recursive: true, force: true });
  }
}

checkNode();
if (!existsSync(join(root, "node_modules", "commander")))
  fail("not-installed", `the packages of ${root} are not installed`, `Run: npm ci --prefix ${root}`);

const folder = join(root, ".broome");
const outdir = join(folder, `cli-${stampOfSources()}`);
if (!existsSync(outdir)) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const help = "Run broome once as somebody who may write there: what it builds serves everybody.";
    fail("file-unwritable", `the command's own code cannot be built: ${error.message}`, help);
  }
  try {
    await build(outdir);
  } catch (error) {
    fail(
      "build-failed",
      `the command's own code does not build: ${error.message}`,
      "Mend the file named above.",
    );
  }
  utimesSync(outdir, new Date(), new Date());
  removeOldBuilds(folder, outdir);
}
nodeModule.enableCompileCache?.(join(outdir, "compiled")); // Node 22.1 and newer
const { main } = await import(pathToFileURL(join(outdir, "cli.mjs")).href);
process.exitCode = await main(process.argv.slice(2));
