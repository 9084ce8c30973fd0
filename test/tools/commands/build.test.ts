// `broome build` as a command: the project's own firmware, and what is refused before anything is made.

import test from "ava";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb } from "../../../tools/commands/build.js";
import { runVerb } from "../../support/run-verb.js";

const folder = mkdtempSync(join(tmpdir(), "broome-build-verb-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
process.env.BROOME_KEYS = join(folder, "no-keys");

test("the project's own firmware builds; without keys it says that updates are off", async (t) => {
  const chain = { image: "left by an earlier verb" };
  const out = join(folder, "out");
  const { result, text, code } = await runVerb(verb, ["--out", out, "--version", "1.2.3"], { chain });
  t.is(code, undefined, text);
  t.like(result, { chip: "esp32c3", version: "1.2.3", updateKeys: [] });
  t.deepEqual(chain, { dir: out, chip: "esp32c3" } as never);
  t.true(existsSync(join(out, "app.bin")));
  t.regex(text, /updates are off/);
});

test("a release key is taken in", async (t) => {
  const key = join(folder, "k.pub.json");
  writeFileSync(key, JSON.stringify({ kid: "k1", key: "k".repeat(43) }));
  const argv = ["--out", join(folder, "signed"), "--release-key", key, "--set-config", "product=lamp"];
  const { result, text } = await runVerb(verb, argv);
  t.deepEqual(result?.updateKeys, ["k1"]);
  t.notRegex(text, /updates are off/);
});

const refused: [string, string[]][] = [
  ["chip-unsupported", ["--chip", "esp32s2"]],
  ["chip-unsupported", ["--chip", "z80"]],
  ["version-invalid", ["--version", "one"]],
  ["module-missing", ["--app", folder]],
  ["release-key-invalid", ["--release-key", join(folder, "gone.json")]],
  ["usage", ["--set-config", "product"]],
  ["usage", ["--sc", "-1"]],
  ["usage", ["--sc", "many"]],
];
for (const [code, argv] of refused)
  test(`${argv[0]} ${argv[1]!.slice(-10)}: ${code}, nothing made`, async (t) => {
    const out = join(folder, "never");
    t.is((await runVerb(verb, [...argv, "--out", out])).code, code);
    t.false(existsSync(out));
  });
