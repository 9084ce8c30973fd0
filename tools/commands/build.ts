// `broome build`: firmware/ to an image for a chip.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "../build/build.js";
import { readUpdateKey, readUpdateKeys, type UpdateKey } from "../build/update-keys.js";
import { chipByName, chipNames, defaultChip } from "../chips/registry.js";
import { prepareEngine } from "../engine/engine.js";
import { BroomeError } from "../error.js";
import { keysDirectory } from "../keys-directory.js";
import { buildWithSdk, type SdkBuildResult } from "../sdk/build.js";
import type { Amount } from "../sdk/limits.js";
import { sdkChips, sdkTarget } from "../sdk/target.js";
import type { Context, Options, Verb } from "../verb.js";
import { BuildSteps } from "./build-steps.js";

export const verb: Verb = {
  name: "build",
  summary: "firmware/ to an image for a chip",
  configure(command) {
    command
      .option(
        "--chip <chip>",
        `one of: ${chipNames().join(", ")}; with --sdk: ${sdkChips().join(", ")}`,
        defaultChip,
      )
      .option("--sdk", "with the Moddable SDK, for a real board (default: for a virtual one)")
      .option(
        "--version <version>",
        "semver, at most 31 characters (default: of the app's or the project's package.json)",
      )
      .option("--out <folder>", "where the files go (default: build/CHIP)")
      .option(
        "--release-key <file>",
        "public key that may sign updates (default: those of `keys init`)",
        append,
      )
      .option("--app <folder>", "another app in the place of firmware/app")
      .option("--sc <number>", "security counter: devices never go back below it", Number)
      .option(
        "--set-config <name=value...>",
        "a member of mc/config; the value is JSON or else text",
        append,
      );
  },
  run: runBuild,
};

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

async function runBuild(
  context: Context,
  _args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const name = options.chip as string;
  if (options.sdk === true) return runSdkBuild(context, name, options);
  const chip = chipByName(name);
  const request = requestOf(context, chip.name, options);
  const result = await build({ ...request, chip, engine: engineOf(context) });
  chained(context, request.outDir, chip.name);
  const app = result.files.find(({ path }) => path.endsWith("app.bin"))!;
  context.log(
    `${chip.name} ${result.version}: ${result.modules} modules (${result.preloaded} preloaded), ${app.size} bytes, ` +
      `${Math.round((100 * result.limits.update) / result.limits.slot)} % of a slot, ${result.ms} ms` +
      (result.typeCheck === "unchanged" ? " (types: unchanged)" : ""),
  );
  listFiles(context, result);
  noteKeys(context, result);
  return { ...result };
}

async function runSdkBuild(
  context: Context,
  chip: string,
  options: Options,
): Promise<Record<string, unknown>> {
  const request = requestOf(context, `${chip}-sdk`, options);
  const write = (text: string) => void process.stderr.write(text);
  const steps = new BuildSteps({ tty: context.tty, write, log: (text) => context.log(text) });
  const result = await buildWithSdk({
    ...request,
    chip,
    wantsUpdates: options.releaseKey !== undefined,
    onStep: (what) => steps.step(what),
    onNote: (text) => context.log(`  ${text}`),
  }).finally(() => steps.end());
  chained(context, request.outDir, result.chip);
  const parts = [`${result.modules} modules`, `Moddable SDK ${result.sdk}`, ...amounts(result)];
  context.log(`${result.chip} ${result.version}: ${parts.join(", ")}, ${(result.ms / 1000).toFixed(0)} s`);
  if (result.program)
    context.log(`  run it: BROOME_FLASH=lin.flash ${result.program} ${result.files[0]!.path}`);
  else {
    listFiles(context, result);
    if (sdkTarget(result.chip).ota) noteKeys(context, result);
  }
  return { ...result };
}

function amounts({ limits }: SdkBuildResult): string[] {
  const share = (what: string, { used, max }: Amount) =>
    `${what} ${used} of ${max} (${Math.round((100 * used) / max)} %)`;
  const { slot, update, irom, iram, dram } = limits;
  return [
    ...(slot !== undefined && update !== undefined ? [share("slot", { used: update, max: slot })] : []),
    ...(irom ? [share("irom", irom)] : []),
    ...(iram ? [share("iram", iram)] : []),
    ...(dram ? [share("static RAM", dram)] : []),
  ];
}

/** What both ways to build are asked for. */
function requestOf(context: Context, folderName: string, options: Options) {
  const appDir = options.app === undefined ? undefined : folder(options.app as string);
  const updateKeys = keys(options.releaseKey as string[] | undefined);
  const version =
    (options.version as string | undefined) ?? packageVersion(appDir) ?? packageVersion(context.root);
  return {
    root: context.root,
    cacheDir: context.cacheDir,
    version: version ?? "0.0.0",
    outDir: resolve((options.out as string | undefined) ?? join(context.root, "build", folderName)),
    config: { ...settings(options.setConfig as string[] | undefined), sc: counter(options.sc), updateKeys },
    appDir,
    signal: context.signal,
  };
}

/** For the verbs that follow. */
function chained(context: Context, outDir: string, chip: string): void {
  context.chain.dir = outDir;
  context.chain.chip = chip;
  delete context.chain.image;
}

function listFiles(
  context: Context,
  { files }: { files: readonly { offset: number; path: string }[] },
): void {
  for (const file of files) context.log(`  0x${file.offset.toString(16).padStart(6, "0")}  ${file.path}`);
}

function noteKeys(context: Context, { updateKeys }: { updateKeys: readonly string[] }): void {
  if (updateKeys.length === 0)
    context.log(
      `  updates are off: no release key in ${keysDirectory()} (\`broome keys init\`) and no --release-key`,
    );
}

function engineOf(context: Context): ReturnType<typeof prepareEngine> {
  let bar: ReturnType<Context["progress"]> | undefined;
  const engine = prepareEngine({
    cacheDir: context.cacheDir,
    onProgress: (done, total, what) => {
      bar ??= context.progress(`engine: ${what}`, total, "files");
      bar.update(done);
    },
  }).finally(() => bar?.end());
  engine.catch(() => undefined); // reported where it is awaited
  return engine;
}

function keys(files: string[] | undefined): UpdateKey[] {
  if (files === undefined) return readUpdateKeys();
  return files.map((file) => readUpdateKey(file));
}

function settings(pairs: string[] | undefined): Record<string, unknown> {
  return Object.fromEntries(
    (pairs ?? []).map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new BroomeError("usage", `--set-config ${pair}: no "="`, "Write NAME=VALUE.");
      return [pair.slice(0, at), jsonOrText(pair.slice(at + 1))];
    }),
  );
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function counter(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffffffff)
    return value as number;
  throw new BroomeError(
    "usage",
    `--sc ${String(value)} is not a whole number from 0 to 4294967295`,
    "See: broome build --help",
  );
}

function folder(path: string): string {
  const absolute = resolve(path);
  if (existsSync(join(absolute, "app.ts"))) return absolute;
  throw new BroomeError(
    "module-missing",
    `there is no app.ts in ${absolute}`,
    "--app wants a folder like firmware/app.",
  );
}

function packageVersion(directory: string | undefined): string | undefined {
  const file = join(directory ?? "", "package.json");
  if (directory === undefined || !existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version;
}
