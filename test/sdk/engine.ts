// The tests of the engine's host on the SDK's own XS, in both widths: what they say of XS 13.3 must hold of the boards' version.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepareEngine } from "../../tools/engine/engine.js";

const TESTS = "test/tools/engine/*.test.ts";

/** In words. Throws where another engine was built than the one meant, and with the names of tests that failed. */
export async function testEngine(root: string, bits: 32 | 64): Promise<string> {
  const engine = await prepareEngine({ cacheDir: join(root, ".broome"), ...(bits === 64 && { bits }) });
  if (engine.bits !== bits) throw new Error(`the engine has ${engine.bits} bits: no compiler for ${bits}`);
  return `XS ${engine.xs}, ${await runTests(root, bits)}`;
}

function runTests(root: string, bits: 32 | 64): Promise<string> {
  const argv = [join(root, "node_modules/ava/entrypoints/cli.mjs"), "--tap", TESTS];
  const env = { ...process.env, BROOME_ENGINE_BITS: String(bits), NODE_NO_WARNINGS: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => {
      const failed = [...output.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, title]) => title);
      const passed = [...output.matchAll(/^ok \d+ - (?!.*# SKIP)/gm)].length;
      if (code === 0 && failed.length === 0 && passed > 0) resolve(`${passed} tests`);
      else
        reject(new Error(`exit ${code}, ${passed} passed; failed: ${failed.join("; ") || "none by name"}`));
    });
  });
}
