// `broome build --sdk`: the same firmware through the Moddable SDK's mcconfig, to the parts that a real board is flashed with.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { checkVersion, type BuildOptions } from "../build/build.js";
import { describeBuild, keepProgram, makeFolder, writeFiles, type BuiltFile } from "../build/output.js";
import type { UpdateKey } from "../build/update-keys.js";
import { readManifest } from "../build/manifest.js";
import { chipByName } from "../chips/registry.js";
import { BroomeError } from "../error.js";
import { checkModules } from "./check-modules.js";
import { checkTypes, compilerPackage } from "./check-types.js";
import { collect } from "./collect.js";
import {
  checkToolchain,
  esp8266Variables,
  findSdk,
  idfFolder,
  isUntested,
  type Place,
  type Sdk,
} from "./find.js";
import { idfEnvironment } from "./idf-environment.js";
import type { Limits } from "./limits.js";
import { buildLinProgram } from "./lin-program.js";
import { runMcconfig } from "./mcconfig.js";
import { outputPaths, writeProject } from "./project.js";
import { checkMerged } from "./sdkconfig.js";
import { sdkTarget, type SdkTarget } from "./target.js";
import { checkTypeScript } from "./typescript.js";

export interface SdkBuildOptions {
  /** The folder that holds manifest.json and firmware/. */
  readonly root: string;
  readonly cacheDir: string;
  readonly chip: string;
  readonly version: string;
  readonly outDir: string;
  readonly config: BuildOptions["config"];
  /** `--release-key` was given: who asks for updates must not get a build without them. */
  readonly wantsUpdates: boolean;
  readonly appDir?: string | undefined;
  readonly place?: Place;
  /** Another program of the same project: its name, and members of its manifest besides the project's. For tests. */
  readonly program?: { readonly name: string; readonly manifest: Readonly<Record<string, unknown>> };
  readonly signal?: AbortSignal | undefined;
  onStep?(what: string): void;
  onNote?(text: string): void;
}

export interface SdkBuildResult {
  readonly chip: string;
  readonly version: string;
  readonly sdk: string; // version
  readonly files: readonly BuiltFile[];
  readonly defaults: { readonly offset: number; readonly capacity: number };
  readonly limits: Limits;
  readonly modules: number;
  readonly updateKeys: readonly string[]; // key ids
  /** Of a `lin` build: what runs it. */
  readonly program?: string;
  readonly ms: number;
}

/**
 * Builds the parts and build.json into `outDir`. Whatever can be refused is refused before the first file is compiled.
 * Throws BroomeError `chip-unsupported`, `version-invalid`, `ota-not-supported`, `sdk-missing`, `sdk-version`,
 * `typescript-too-old`, `module-missing`, `manifest-invalid`, `typescript-errors`, `sdk-config`, `app-too-big`,
 * `sdk-build-failed`, `compiler-missing`, `file-unwritable`.
 */
export async function buildWithSdk(options: SdkBuildOptions): Promise<SdkBuildResult> {
  const started = Date.now();
  const place = options.place ?? { env: process.env, home: homedir(), platform: process.platform };
  const target = sdkTarget(options.chip);
  checkVersion(options.version);
  const updateKeys = keysFor(target, options);
  const sdk = findSdk(place, target.toolchain);
  checkToolchain(target, place);
  const env = toolchainEnvironment(target, place);
  checkTypeScript(compilerPackage());
  if (isUntested(sdk))
    options.onNote?.(`Moddable SDK ${sdk.version}: not the version that this was built with`);
  const config = configOf(options, target, updateKeys);
  const { root, cacheDir, appDir, program } = options;
  const folder = join(cacheDir, "sdk", program?.name ?? target.chip);
  const manifest = writeProject({ root, folder, config, appDir, more: program?.manifest });
  const variables = { MODDABLE: sdk.root };
  const modules = await checkModules(root, { manifest, platform: target.platform, variables });
  makeFolder(options.outDir);
  const { bin, work } = await compile(options, { env, target, sdk, folder });
  const collected = collect({
    ...{ target, bin, work, version: options.version, product: String(config.product) },
    securityCounter: config.sc as number,
    esp8266: esp8266Variables(place).ESP_BASE,
  });
  keepProgram(options.outDir, collected.program);
  const runner = target.toolchain === "host" ? join(options.outDir, "broome-lin") : undefined;
  if (runner) buildLinProgram(root, sdk, runner);
  const facts = {
    ...{ chip: target.chip, version: options.version, sdk: sdk.version },
    files: writeFiles(options.outDir, collected.parts),
    ...{ defaults: collected.defaults, limits: collected.limits, modules },
    updateKeys: updateKeys.map(([kid]) => kid),
    ...(runner && { program: runner }),
  };
  describeBuild(options.outDir, facts, { config });
  return { ...facts, ms: Date.now() - started };
}

interface Compilation {
  readonly env: Place["env"];
  readonly target: SdkTarget;
  readonly sdk: Sdk;
  /** Of the manifest. */
  readonly folder: string;
}

/** Generates, checks types and settings on what was generated, compiles. */
async function compile(
  { cacheDir, outDir, signal, onStep }: SdkBuildOptions,
  { env, target, sdk, folder }: Compilation,
): Promise<{ bin: string; work: string }> {
  const out = join(cacheDir, "sdk/out");
  mkdirSync(out, { recursive: true });
  const run = {
    sdk,
    target,
    folder,
    out,
    signal,
    env,
    logFile: join(outDir, "build.log"),
    ...(onStep && { onStep }),
  };
  await runMcconfig({ ...run, generateOnly: true });
  const paths = outputPaths(out, target.platform, folder);
  if (target.subclass) {
    const merged = join(paths.work, `xsProj-${target.subclass}`, "sdkconfig.mc");
    checkMerged(readFileSync(merged, "utf8"), merged);
  }
  removeProducts(target, paths);
  onStep?.("types");
  await checkTypes(join(paths.work, "modules"), signal);
  await runMcconfig(run);
  return paths;
}

/** Of the build before: make.esp32.mk copies them where ESP-IDF's build failed, and asks nobody. Without the first, it stops. */
function removeProducts({ subclass }: SdkTarget, { bin, work }: ReturnType<typeof outputPaths>): void {
  if (!subclass) return;
  const made = join(work, `xsProj-${subclass}`, "build");
  for (const path of [join(made, "xs_esp32.elf"), join(made, "xs_esp32.bin"), join(bin, "xs_esp32.bin")])
    rmSync(path, { force: true });
}

/** The variables by which mcconfig's makefile finds the chip's tools. */
function toolchainEnvironment({ toolchain, compiler }: SdkTarget, place: Place): Place["env"] {
  if (toolchain === "esp8266") return { ...place.env, ...esp8266Variables(place) };
  return toolchain === "esp-idf" ? idfEnvironment(place, idfFolder(place), ["idf.py", compiler!]) : place.env;
}

function keysFor(target: SdkTarget, { config, wantsUpdates, onNote }: SdkBuildOptions): readonly UpdateKey[] {
  if (target.ota) return config.updateKeys;
  if (wantsUpdates)
    throw new BroomeError(
      "ota-not-supported",
      target.chip === "lin"
        ? "a Linux process has no slot to put an update into"
        : `Moddable SDK 8.2 has no update scheme for the ${target.chip} (10.0.2 has one)`,
      "Leave --release-key out: everything else works. Or choose esp32 or esp32c3; or try updates on a virtual chip, without --sdk.",
    );
  onNote?.(`updates are off: the SDK has no update scheme for ${target.chip}`);
  return [];
}

function configOf(
  { root, config, version }: SdkBuildOptions,
  target: SdkTarget,
  updateKeys: readonly UpdateKey[],
): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const own = readManifest(root, target.platform, new Map()).config;
  const layout = target.toolchain === "host" ? {} : { layout: chipByName(target.chip).layout.name };
  return { sc: 0, ...own, ...layout, ...given, updateKeys, version, chip: target.chip };
}
