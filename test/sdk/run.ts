// `npm run test:sdk`: the same firmware through the real Moddable SDK, for every platform as far as this machine's toolchains go, the
// engine's host on the SDK's XS, and the Linux build at work with the server. Slow (XS is compiled), so apart from `npm test`. Without $MODDABLE it says so, loudly.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BroomeError } from "../../tools/error.js";
import { buildWithSdk } from "../../tools/sdk/build.js";
import { checkModules } from "../../tools/sdk/check-modules.js";
import { checkToolchain, findSdk, type Place, type Sdk } from "../../tools/sdk/find.js";
import { sdkChips, sdkTarget } from "../../tools/sdk/target.js";
import { contractResult } from "../contract/device/output.js";
import { Rig } from "../system/rig.js";
import { buildBytecode, type Bytecode } from "./bytecode.js";
import { testEngine } from "./engine.js";
import { checkEsp32C, compilerFor, headersOf } from "./esp32-c.js";
import { checkHostFunctions } from "./host-functions.js";
import { LinRun } from "./lin-run.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const place: Place = { env: process.env, home: homedir(), platform: process.platform };
const MAC = "02:00:00:00:00:07";
const started = Date.now();
const only = process.argv[process.argv.indexOf("--only") + 1];
const counts = { cases: 0, failed: 0, skipped: 0 };
const rig = new Rig();

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function check(name: string, run: () => Promise<string> | string): Promise<void> {
  if (process.argv.includes("--only") && !name.startsWith(only!)) return;
  counts.cases++;
  const from = Date.now();
  try {
    say(`ok      ${name}: ${await run()}, ${((Date.now() - from) / 1000).toFixed(0)} s`);
  } catch (error) {
    if (error instanceof BroomeError && error.code === "sdk-missing") {
      counts.cases--;
      return skip(name, error.message);
    }
    counts.failed++;
    say(`FAILED  ${name}: ${(error as Error).message}`);
  }
}

const ALL = "all of it";

function skip(name: string, why: string): void {
  if (name !== ALL && process.argv.includes("--only") && !name.startsWith(only!)) return;
  counts.cases++;
  counts.skipped++;
  if (process.env.BROOME_NO_SKIP === "1") counts.failed++;
  say(`SKIPPED ${name}: ${why}`);
}

/** True where the chip's C can be compiled here. */
function hasToolchain(chip: string): boolean {
  try {
    checkToolchain(sdkTarget(chip), place);
    return true;
  } catch (error) {
    if (error instanceof BroomeError) return false;
    throw error;
  }
}

function buildOf(chip: string, more: Partial<Parameters<typeof buildWithSdk>[0]> = {}) {
  const name = more.program?.name ?? chip;
  return buildWithSdk({
    ...{ root, cacheDir: join(root, ".broome"), chip, version: "1.2.3", outDir: rig.path(name) },
    ...{ config: { updateKeys: [] }, wantsUpdates: false, place, onNote: (text) => say(`        ${text}`) },
    ...more,
  });
}

/** What the build says where it refuses, with this code. */
async function refusal(code: string, built: Promise<unknown>): Promise<string> {
  const error = await built.then(
    () => undefined,
    (reason: unknown) => reason as Error & { code?: string },
  );
  if (error === undefined) throw new Error(`it was built: no ${code}`);
  if (error.code !== code) throw error;
  return error.message.split("\n")[0]!;
}

/** An app that wants what the boards have and a Linux process has not. */
function missingModule(): Promise<string> {
  const appDir = rig.path("app");
  mkdirSync(appDir);
  writeFileSync(join(appDir, "app.ts"), 'import "embedded:io/digital";\n');
  return refusal("module-missing", buildOf("lin", { appDir }));
}

/** A resource that takes the program beyond the megabyte that an ESP8266 maps. */
function tooBig(): Promise<string> {
  const folder = rig.path("large");
  mkdirSync(folder);
  writeFileSync(join(folder, "large.bin"), new Uint8Array(600_000).fill(0x5a));
  const program = { name: "large", manifest: { resources: { "*": [join(folder, "*")] } } };
  return refusal("app-too-big", buildOf("esp8266", { program }));
}

/** A function of C that must run from RAM, and is larger than what XS and the vendor's code leave of it. */
function tooMuchInRam(): Promise<string> {
  const folder = rig.path("resident");
  mkdirSync(folder);
  writeFileSync(join(folder, "resident.js"), 'export default function resident() @ "xs_resident";\n');
  writeFileSync(
    join(folder, "resident.c"),
    `#include "xsmc.h"
#include "mc.xs.h"
__attribute__((section(".iram.text"))) void xs_resident(xsMachine *the) { __asm__ volatile(".space 9000"); }
`,
  );
  const program = { name: "resident", manifest: { modules: { "*": [join(folder, "*")] } } };
  return refusal("app-too-big", buildOf("esp8266", { program }));
}

/** The linux build as an owner has it: patched, joined, read, commanded. */
async function linJoins(): Promise<string> {
  const { program } = await buildOf("lin");
  const server = await rig.serve();
  const image = await rig.patch(
    rig.path("lin"),
    rig.values(server, { "wifi.ssid": "lin", "wifi.password": null }),
  );
  const run = new LinRun({ program: program!, library: image, flash: rig.path("lin.flash"), mac: MAC });
  try {
    const deviceid = await rig.approve(server, run.log);
    await rig.readings(
      server,
      deviceid,
      (names) => names.includes("temperature") && names.includes("humidity"),
    );
    const path = `/api/devices/${deviceid}/pins`;
    await server.admin
      .call("PUT", `${path}/V1`, { value: "7" })
      .catch(() => server.admin.call("PUT", path, { V1: "7" }));
    type Pin = { pin: string; reported: { value: string } | null };
    await server.admin.poll<Pin[]>(path, "pin V2", 30_000, (pins) =>
      pins.some(({ pin, reported }) => pin === "V2" && reported?.value === "7"),
    );
    await server.admin.call("PUT", `${path}/V100`, { value: "1" });
    await server.admin.poll<Pin[]>(path, "pin V101", 30_000, (pins) =>
      pins.some(({ pin, reported }) => pin === "V101" && /ota-not-supported/.test(reported?.value ?? "")),
    );
    return "joined, read, V1 answered on V2, V100 answered with ota-not-supported";
  } finally {
    writeFileSync(join(root, ".broome/sdk/lin.log"), `${run.log.lines.join("\n")}\n${run.complaints}`);
    await run.end();
  }
}

async function linContract(): Promise<string> {
  const folder = join(root, "test/contract/device");
  const manifest = {
    creation: { main: "contract/main" },
    modules: { "contract/main": join(folder, "main"), "contract/suite": join(folder, "suite") },
  };
  const { program, files } = await buildOf("lin", { program: { name: "contract", manifest } });
  const run = new LinRun({
    program: program!,
    library: files[0]!.path,
    flash: rig.path("contract.flash"),
    mac: MAC,
  });
  try {
    await run.until(/contract: end .*/);
    const { cases, failed } = contractResult(run.text)!;
    if (failed.length > 0) throw new Error(failed.join("; "));
    return `${cases} cases`;
  } finally {
    await run.end();
  }
}

const bytecodes = new Map<string, Promise<Bytecode>>();

/** Once a chip. */
function bytecodeOf(sdk: Sdk, chip: string): Promise<Bytecode> {
  const made = bytecodes.get(chip) ?? buildBytecode(root, sdk, chip);
  bytecodes.set(chip, made);
  return made;
}

/** Our C for the chip, where there are at least ESP-IDF's headers. */
async function compileC(chip: string, sdk: Sdk): Promise<void> {
  const name = `${chip} C`;
  const idf = process.env.IDF_PATH ?? "";
  const headers = headersOf(idf);
  const compiler = compilerFor(chip);
  if (headers === undefined) return skip(name, "there are no headers of ESP-IDF ($IDF_PATH/components)");
  if (compiler === undefined) return skip(name, "there is no compiler, Espressif's or Debian's");
  await check(name, async () => {
    if (headers !== "6.0") throw new Error(`the headers are of ESP-IDF ${headers}, the SDK wants 6.0`);
    const { work } = await bytecodeOf(sdk, chip); // its mc.defines.h
    return `ESP-IDF ${headers}: ${checkEsp32C({ root, moddable: sdk.root, idf, chip, work }, compiler)}`;
  });
}

async function boardBuild(chip: string): Promise<string> {
  const { files, limits, modules } = await buildOf(chip);
  const app = files.find(({ path }) => path.endsWith("app.bin"))!;
  return `${modules} modules, app.bin ${app.size} bytes, ${JSON.stringify(limits)}`;
}

mkdirSync(join(root, ".broome/sdk"), { recursive: true });
try {
  if (process.env.MODDABLE === undefined || !existsSync(join(process.env.MODDABLE, "tools/VERSION"))) {
    skip(ALL, '$MODDABLE is not set: no Moddable SDK, nothing of this was tried (README, "On a real board")');
  } else {
    const sdk = findSdk(place);
    say(`Moddable SDK ${sdk.version} in ${sdk.root}`);
    const variables = { MODDABLE: sdk.root };
    for (const chip of sdkChips())
      await check(`modules ${chip}`, async () => {
        const { platform } = sdkTarget(chip);
        return `${await checkModules(root, { manifest: join(root, "manifest.json"), platform, variables })} of ours, all imports there`;
      });
    for (const bits of [32, 64] as const) await check(`engine ${bits}-bit`, () => testEngine(root, bits));
    await check("lin joins", linJoins);
    await check("lin contract", linContract);
    await check("lin refuses a module that it has not", missingModule);
    if (hasToolchain("esp8266")) {
      await check("esp8266 builds", () => boardBuild("esp8266"));
      await check("esp8266 refuses a program that is too big", tooBig);
      await check("esp8266 refuses too much code for its RAM", tooMuchInRam);
    } else skip("esp8266 builds", "there is no ESP8266 toolchain ($ESP_BASE)");
    for (const chip of ["esp32", "esp32c3"]) {
      await check(`${chip} bytecode`, async () => {
        const { modules, work } = await bytecodeOf(sdk, chip);
        const functions = checkHostFunctions(work, sdk.root);
        return `${modules} modules checked and linked, ${functions} host functions defined, settings merged`;
      });
      await compileC(chip, sdk);
      if (hasToolchain(chip)) await check(`${chip} builds`, () => boardBuild(chip));
      else skip(`${chip} builds`, "there is no ESP-IDF 6.0 ($IDF_PATH)");
    }
  }
} finally {
  await rig.end();
}
const result = { suite: "sdk", ...counts, seed: 0, ms: Date.now() - started };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(counts.failed > 0 ? 1 : 0);
