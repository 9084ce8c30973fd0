// Which SDK is taken, and how each wrong one is refused: on trees that have the files by which they are told.

import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildWithSdk } from "../../../tools/sdk/build.js";
import {
  checkToolchain,
  esp8266Variables,
  findSdk,
  isUntested,
  type Place,
} from "../../../tools/sdk/find.js";
import { idfEnvironment, missingOn } from "../../../tools/sdk/idf-environment.js";
import { sdkTarget } from "../../../tools/sdk/target.js";
import { checkTypeScript } from "../../../tools/sdk/typescript.js";
import { root } from "../../support/run-verb.js";

function tree(t: ExecutionContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-sdk-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const idf = (major: number, minor: number) =>
  `set(IDF_VERSION_MAJOR ${major})\nset(IDF_VERSION_MINOR ${minor})\nset(IDF_VERSION_PATCH 1)\n`;
const sdk = (version: string, at = "") => ({
  [`${at}tools/VERSION`]: `${version}\n`,
  [`${at}build/bin/lin/release/mcconfig`]: "",
});

function place(home: string, env: Record<string, string> = {}): Place {
  return { env, home, platform: "linux" };
}

function refusal(
  t: ExecutionContext,
  action: () => unknown,
): { code: string; message: string; help: string } {
  return t.throws(action) as unknown as { code: string; message: string; help: string };
}

test("$MODDABLE is taken, and nothing else where it is set", (t) => {
  const home = tree(t, { ...sdk("8.2.3", "moddable/"), ...sdk("9.1.0", "other/") });
  t.like(findSdk(place(home)), { root: join(home, "moddable"), version: "8.2.3" });
  const other = findSdk(place(home, { MODDABLE: join(home, "other") }));
  t.is(other.version, "9.1.0");
  t.true(isUntested(other));
  const gone = refusal(t, () => findSdk(place(home, { MODDABLE: join(home, "gone") })));
  t.is(gone.code, "sdk-missing");
  t.regex(gone.message, /gone, where MODDABLE points$/);
  t.regex(gone.help, /or unset it: then the usual places/);
});

test("no SDK: what to install, and what comes next", (t) => {
  const { code, help } = refusal(t, () => findSdk(place(tree(t, {}))));
  t.is(code, "sdk-missing");
  t.regex(help, /xs-dev setup --release 8\.2\.3, then xs-dev setup --device esp32; then build again/);
  const helpFor = (toolchain: "esp8266" | "host") =>
    refusal(t, () => findSdk(place(tree(t, {})), toolchain)).help;
  t.regex(helpFor("esp8266"), /8\.2\.3, then xs-dev setup --device esp8266; then build/);
  t.regex(helpFor("host"), /then xs-dev setup --release 8\.2\.3; then build/);
});

test("an SDK that is too old, or whose tools are not built, is told apart", (t) => {
  for (const version of ["8.1.9", "5.6.0", "", "nonsense"])
    t.is(refusal(t, () => findSdk(place(tree(t, sdk(version, "moddable/"))))).code, "sdk-version", version);
  const bare = refusal(t, () => findSdk(place(tree(t, { "moddable/tools/VERSION": "8.2.3" }))));
  t.is(bare.code, "sdk-missing");
  t.regex(bare.message, /is not built/);
});

test("ESP-IDF: missing, another version, no clone, the right one", (t) => {
  const home = tree(t, {
    "five/tools/cmake/version.cmake": idf(5, 4),
    "six/tools/cmake/version.cmake": idf(6, 0),
    "six/.git/HEAD": "",
    "unpacked/tools/cmake/version.cmake": idf(6, 0),
  });
  const target = sdkTarget("ESP32-C3");
  const check = (IDF_PATH: string) => () =>
    checkToolchain(target, place(home, { IDF_PATH: join(home, IDF_PATH) }));
  t.is(refusal(t, check("none")).code, "sdk-missing");
  const wrong = refusal(t, check("five"));
  t.is(wrong.code, "sdk-version");
  t.regex(wrong.message, /is 5\.4, the SDK wants 6\.0/);
  const unpacked = refusal(t, check("unpacked"));
  t.is(unpacked.code, "sdk-version");
  t.regex(unpacked.help, /git clone -b v6\.0 --recursive/);
  t.notThrows(check("six"));
});

/** An ESP-IDF whose export.sh runs these lines, and the folder that it may put onto the path. */
function exporting(t: ExecutionContext, lines: string): { idf: string; bin: string } {
  const idf = tree(t, { "export.sh": lines, "tools/idf.py": "", "tools/some-gcc": "" });
  return { idf, bin: join(idf, "tools") };
}
const COMMANDS = ["idf.py", "some-gcc"];
const PATH = process.env.PATH!;

test("ESP-IDF's tools come onto the path by its export.sh, unless they are there", (t) => {
  const { idf, bin } = exporting(t, `echo said\nexport PATH="$IDF_PATH/tools:$PATH" IDF_VALUE=$'a=b\\nc'\n`);
  const made = idfEnvironment(place("/home/addie", { PATH }), idf, COMMANDS);
  t.is(made.PATH, `${bin}:${PATH}`);
  t.like(made, { IDF_PATH: idf, IDF_VALUE: "a=b\nc" });
  const there = { PATH: `${bin}:${PATH}`, OTHER: "kept" };
  t.deepEqual(idfEnvironment(place("/home/addie", there), idf, COMMANDS), { ...there, IDF_PATH: idf });
  t.deepEqual(missingOn({ PATH: bin }, "linux", ["idf.py", "ninja"]), ["ninja"]);
  t.deepEqual(missingOn({}, "linux", ["idf.py"]), ["idf.py"]);
});

test("an export.sh that fails, is not there or brings too little: sdk-missing, with install.sh", (t) => {
  const failures: [string, RegExp][] = [
    ["echo 'ERROR: Python venv is not there' >&2\nreturn 1\n", /export\.sh failed: ERROR: Python venv/],
    ["true\n", /not on the path: idf\.py, some-gcc$/],
    // ESP-IDF 6.0's own, where install.sh was not run: says so and ends with 0
    [
      "echo Checking; echo 'ERROR: ESP-IDF Python virtual environment not found.' >&2; echo more >&2\nreturn 0\n",
      /not on the path: idf\.py, some-gcc; its export\.sh said: ERROR: ESP-IDF Python virtual environment not found\.$/,
    ],
  ];
  for (const [lines, words] of failures) {
    const { idf } = exporting(t, lines);
    const told = refusal(t, () => idfEnvironment(place("/home/addie", { PATH }), idf, COMMANDS));
    t.is(told.code, "sdk-missing");
    t.regex(told.message, words);
    t.true(told.help.includes(join(idf, "install.sh")));
  }
  t.is(
    refusal(t, () => idfEnvironment(place("/home/addie", { PATH }), tree(t, {}), COMMANDS)).code,
    "sdk-missing",
  );
});

test("a build for the ESP32 asks for its compiler before anything is compiled", async (t) => {
  const home = tree(t, {
    ...sdk("8.2.3", "moddable/"),
    "idf/tools/cmake/version.cmake": idf(6, 0),
    "idf/.git/HEAD": "",
    "idf/export.sh": "true\n",
  });
  const env = { PATH, IDF_PATH: join(home, "idf") };
  for (const [chip, compiler] of [
    ["esp32", /xtensa-esp32-elf-gcc/],
    ["esp32c3", /riscv32-esp-elf-gcc/],
  ] as const) {
    const asked = buildWithSdk({ ...request(home), chip, place: place(home, env) });
    const error = (await t.throwsAsync(asked, { message: compiler })) as unknown as { code: string };
    t.is(error.code, "sdk-missing");
  }
});

test("the ESP8266 asks for its own toolchain, whole, Linux for none", (t) => {
  const vendor = "ESP8266_RTOS_SDK/components/esp8266/firmware/boot_v1.7.bin";
  const home = tree(t, { "esp/toolchain/x": "", [`esp/${vendor}`]: "", "esp/esp8266-2.3.0/x": "" });
  const half = tree(t, { "toolchain/x": "", [vendor]: "" });
  const esp8266 = sdkTarget("esp8266");
  const none = refusal(t, () => checkToolchain(esp8266, place(home)));
  t.is(none.code, "sdk-missing");
  t.regex(none.help, /xs-dev setup --device esp8266/);
  const notWhole = refusal(t, () => checkToolchain(esp8266, place(home, { ESP_BASE: half })));
  t.regex(notWhole.message, /there is no \S+esp8266-2\.3\.0$/);
  t.notThrows(() => checkToolchain(esp8266, place(home, { ESP_BASE: join(home, "esp") })));
  const arduino = join(home, "esp/esp8266-2.3.0");
  t.notThrows(() => checkToolchain(esp8266, place(home, { ESP_BASE: half, ARDUINO_ROOT: arduino })));
  t.deepEqual(esp8266Variables(place("/home/addie")), {
    ESP_BASE: "/home/addie/.local/share/esp",
    ARDUINO_ROOT: "/home/addie/.local/share/esp/esp8266-2.3.0",
  });
  t.notThrows(() => checkToolchain(sdkTarget("lin"), place(home)));
});

test("TypeScript 5 is refused, 6 and 7 are not", (t) => {
  const at = (version: string) => () =>
    checkTypeScript(join(tree(t, { "package.json": JSON.stringify({ version }) }), "package.json"));
  t.is(refusal(t, at("5.9.3")).code, "typescript-too-old");
  t.notThrows(at("6.0.3"));
  t.notThrows(at("7.0.2"));
});

const request = (home: string) => ({
  ...{ root, cacheDir: join(home, "cache"), version: "1.0.0", outDir: join(home, "out") },
  ...{ config: { updateKeys: [] }, place: place(home), wantsUpdates: false },
});

test("updates asked for on a chip that cannot: refused before an SDK is looked for", async (t) => {
  for (const chip of ["esp8266", "lin"]) {
    const asked = buildWithSdk({ ...request(tree(t, {})), chip, wantsUpdates: true });
    t.is(((await t.throwsAsync(asked)) as unknown as { code: string }).code, "ota-not-supported");
  }
});

test("a chip that the SDK cannot build for, and a version that is none", async (t) => {
  const codeOf = async (more: object) =>
    (
      (await t.throwsAsync(buildWithSdk({ ...request(tree(t, {})), chip: "lin", ...more }))) as unknown as {
        code: string;
      }
    ).code;
  t.is(await codeOf({ chip: "z80" }), "chip-unsupported");
  t.is(await codeOf({ version: "one" }), "version-invalid");
  t.is(await codeOf({}), "sdk-missing");
});
