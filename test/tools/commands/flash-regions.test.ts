// What `broome flash` is given to write: folders and files that are none, before any board is asked for.

import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb } from "../../../tools/commands/flash.js";
import { runVerb } from "../../support/run-verb.js";

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-regions-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const [name, text, expected] of [
  ["build.json", "{", "file-unreadable"],
  ["build.json", "null", "file-unreadable"],
  ["build.json", "[]", "build-missing"],
  ["build.json", '{"files":"app.bin"}', "build-missing"],
  ["build.json", '{"files":[null]}', "file-unreadable"],
  ["build.json", '{"files":[{"offset":-4096,"path":"app.bin"}]}', "file-unreadable"],
  ["build.json", '{"files":[{"offset":65536}]}', "file-unreadable"],
  ["build.json", '{"files":[{"offset":65536,"path":"gone.bin"}]}', "file-unreadable"],
  ["build.json", '{"program":"broome-lin"}', "chip-unsupported"],
  ["flasher_args.json", '{"flash_files":{"here":"app.bin"}}', "file-unreadable"],
  ["flasher_args.json", '{"flash_files":{"0x10000":7}}', "file-unreadable"],
  ["flasher_args.json", '{"flash_files":null}', "build-missing"],
] as const)
  test(`a folder whose ${name} is ${text}: ${expected}`, async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "app.bin"), "tide");
    const { code, text: said } = await runVerb(verb, ["--dir", folder], { port: "socket://127.0.0.1:1" });
    t.is(code, expected, said);
    t.true(said.includes(folder), said);
  });

test("a file that is a folder, one that is not there, one that is empty, words that are no offset", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, "app.bin"));
  writeFileSync(join(folder, "empty.bin"), "");
  const cases: [string[], string][] = [
    [["0x10000", join(folder, "app.bin")], "file-unreadable"],
    [["0x10000", join(folder, "none.bin")], "file-unreadable"],
    [["0x10000", join(folder, "empty.bin")], "region-invalid"],
    [[join(folder, "empty.bin"), "0x10000"], "usage"],
    [["0x10000"], "usage"],
    [["0x10000", "/dev/zero"], "file-too-large"],
  ];
  for (const [argv, expected] of cases) {
    const { code, text } = await runVerb(verb, argv, { port: "socket://127.0.0.1:1" });
    t.is(code, expected, `${argv.join(" ")}: ${text}`);
  }
});
