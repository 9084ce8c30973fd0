// What becomes of mcconfig's words: a stand-in says what the real one said, word for word, where this and that went wrong.

import test, { type ExecutionContext } from "ava";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMcconfig } from "../../../tools/sdk/mcconfig.js";
import { stepOf } from "../../../tools/sdk/steps.js";
import { sdkTarget } from "../../../tools/sdk/target.js";

interface Ending {
  /** Its output, on stdout. */
  readonly says: string;
  readonly code?: number;
}

/** Runs a mcconfig that only says something. */
async function run(
  t: ExecutionContext,
  { says, code = 0 }: Ending,
): Promise<{ steps: string[]; log: string }> {
  const folder = mkdtempSync(join(tmpdir(), "broome-mcconfig-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "mcconfig");
  writeFileSync(join(folder, "says"), says);
  writeFileSync(
    program,
    `#!/bin/sh\ncat "${join(folder, "says")}"\necho "# language $LANGUAGE"\nexit ${code}\n`,
  );
  chmodSync(program, 0o755);
  const steps: string[] = [];
  const logFile = join(folder, "build.log");
  await runMcconfig({
    sdk: { root: folder, version: "8.2.3", tools: folder },
    target: sdkTarget("esp32c3"),
    ...{ folder, out: folder, logFile, env: { PATH: process.env.PATH }, onStep: (what) => steps.push(what) },
  });
  return { steps, log: readFileSync(logFile, "utf8") };
}

async function refusal(t: ExecutionContext, ending: Ending): Promise<{ code: string; message: string }> {
  return (await t.throwsAsync(run(t, ending))) as unknown as { code: string; message: string };
}

const WELL = 'Executing "ninja all"...\n[9/9] Generating binary image\n';

test("a build that went well: its steps, its log, messages in English", async (t) => {
  const { steps, log } = await run(t, { says: `${WELL}# xsc main\n# Built files at /out/bin\n` });
  const binary = "ESP-IDF 9 of 9: Generating binary image";
  t.deepEqual(steps, [binary, "xsc main", "Built files at /out/bin", "language en"]);
  t.true(log.startsWith(WELL));
});

test("of ninja's steps the file's name is enough", (t) => {
  // Of a build with ESP-IDF 6.0.
  const said = [
    "[93/866] Building C object esp-idf/hal/CMakeFiles/__idf_hal.dir/mmu_hal.c.obj",
    "[94/866] Linking C static library esp-idf/hal/libhal.a",
    "[865/866] Linking CXX executable xs_esp32.elf",
    "[866/866] Generating ld/sections.ld",
    "[1/2 of it",
    "#",
    "## cc",
  ];
  const steps = said.map(stepOf);
  t.deepEqual(steps, [
    "ESP-IDF 93 of 866: building mmu_hal.c.obj",
    "ESP-IDF 94 of 866: linking libhal.a",
    "ESP-IDF 865 of 866: linking xs_esp32.elf",
    "ESP-IDF 866 of 866: Generating ld/sections.ld",
    ...[undefined, undefined, undefined],
  ]);
});

test("ESP-IDF's build failed and make went on: no old image is taken", async (t) => {
  // Word for word but for the paths: make, run with -s, says nothing of it.
  const said = `Executing "ninja all"...
ninja: error: '/idf/components/esp_wifi/lib/esp32c3/libpp.a', needed by 'sections.ld', missing and no known rule to make it
ninja failed with exit code 1, output of the command is in the /out/log/idf_py_stderr_output_17843
#\n# Built files at /out/bin/esp32/esp32c3/release/esp32c3\n#\n`;
  const { code, message } = await refusal(t, { says: said });
  t.is(code, "sdk-build-failed");
  t.regex(message, /libpp\.a', needed by[^]*ninja failed with exit code 1/);
});

test("what is told of a failed build are its errors: no command with -Wno-error in it, no colours", async (t) => {
  const said = `Executing "cmake -G Ninja -DCMAKE_MESSAGE_LOG_LEVEL=ERROR /out/xsProj-esp32c3"...
[93/866] Building C object esp-idf/hal/mmu_hal.c.obj
FAILED: esp-idf/hal/mmu_hal.c.obj
/tools/riscv32-esp-elf-gcc -Werror -Wno-error=deprecated-declarations -c /idf/mmu_hal.c
\u001b[01m\u001b[K/idf/mmu_hal.c:66:9:\u001b[m\u001b[K \u001b[01;31m\u001b[Kerror: \u001b[m\u001b[Kunknown type name 'x'
AttributeError: 'NoneType' object has no attribute 'name'
make: *** [/out/makefile:1079: /out/sdkconfig.h] Error 2
`;
  const { message } = await refusal(t, { says: said, code: 2 });
  t.is(
    message,
    "mcconfig failed:\n/idf/mmu_hal.c:66:9: error: unknown type name 'x'\n" +
      "AttributeError: 'NoneType' object has no attribute 'name'\nmake: *** [/out/makefile:1079: /out/sdkconfig.h] Error 2",
  );
});

test("a build that says of no error what it is ends with its last words", async (t) => {
  const said = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join("");
  const { message } = await refusal(t, { says: said, code: 1 });
  t.regex(message, /^mcconfig failed:\nline 29\n[^]*line 39\n# language en$/);
});

test("an image that no slot holds: ESP-IDF's own check fails the build, and its figures are told", async (t) => {
  const said = `Error: All app partitions are too small for binary xs_esp32.bin size 0x214000:
  - Part 'ota_0' 0/16 @ 0x10000 size 0x1e0000 (overflow 0x34000)
  - Part 'ota_1' 0/17 @ 0x1f0000 size 0x1e0000 (overflow 0x34000)
ninja: build stopped: subcommand failed.
ninja failed with exit code 1, output of the command is in the /out/log/x
`;
  const { code, message } = await refusal(t, { says: said });
  t.is(code, "app-too-big");
  t.regex(message, /takes 2179072 bytes; a slot has 1966080: it does not fit the esp32c3/);
});
