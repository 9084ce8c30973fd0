// One build for a virtual chip: TypeScript to bytecode, linked to the engine's symbols, in an ESP image; and the tables beside it.

import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { findDefaults } from "../../firmware/format/defaults-block.js";
import type { Chip } from "../chips/chip.js";
import { link, type Engine } from "../engine/engine.js";
import { BroomeError } from "../error.js";
import { checkImports, expandPreload } from "./check-imports.js";
import { readManifest, type Manifest } from "./manifest.js";
import { describeBuild, writeFiles, type BuiltFile } from "./output.js";
import { initialOtadata, partitionTable } from "./tables.js";
import { transformModules, type Module } from "./transform.js";
import { typeCheck } from "./type-check.js";
import type { UpdateKey } from "./update-keys.js";
import { makeVirtualImage, slotBytes } from "./virtual-image.js";

export interface BuildOptions {
  /** The folder that holds manifest.json and firmware/. */
  readonly root: string;
  readonly cacheDir: string;
  readonly chip: Chip;
  readonly version: string; // semver, at most 31 bytes
  readonly outDir: string;
  /** May still be on its way: type check and transform do not wait for it. */
  readonly engine: Engine | Promise<Engine>;
  readonly config: {
    readonly updateKeys: readonly UpdateKey[];
    /** Security counter; default: the manifest's, else 0. */
    readonly sc?: number | undefined;
    readonly product?: string | undefined;
    /** Any other member of `mc/config`; null takes out what the manifest says. */
    readonly [name: string]: unknown;
  };
  /** Another folder in the place of firmware/app. */
  readonly appDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BuildResult {
  readonly chip: string;
  readonly version: string;
  readonly files: readonly BuiltFile[];
  readonly defaults: { readonly offset: number; readonly capacity: number };
  /** Bytes: of a slot, and what an update to this image takes of it. */
  readonly limits: { readonly slot: number; readonly update: number };
  readonly modules: number;
  readonly preloaded: number;
  readonly symbols: number;
  readonly typeCheck: "checked" | "unchanged";
  readonly updateKeys: readonly string[]; // key ids
  readonly ms: number;
}

const PLATFORM = "virtual";
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/**
 * Builds app.bin, partition-table.bin, ota_data_initial.bin and build.json into `outDir`.
 *
 * The same sources, version and options give the same bytes. Throws BroomeError `typescript-errors`, `compile-error`,
 * `module-missing`, `import-not-allowed`, `manifest-invalid`, `version-invalid`, `app-too-big`, and what the engine throws.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const started = Date.now();
  checkVersion(options.version);
  const manifest = readManifest(options.root, PLATFORM, replacements(options));
  const config = configOf(options, manifest);
  const [types, image] = await Promise.allSettled([typeCheck(options), compile(options, manifest, config)]);
  if (types.status === "rejected") throw types.reason as Error; // says more than what esbuild or XS make of the same line
  if (image.status === "rejected") throw image.reason as Error;
  options.signal?.throwIfAborted();

  const { bytes, ...counts } = image.value;
  const { layout } = options.chip;
  const files = writeFiles(options.outDir, [
    {
      name: "partition-table.bin",
      offset: layout.partitionTable.offset,
      bytes: partitionTable(options.chip),
    },
    { name: "ota_data_initial.bin", offset: layout.otadata.offset, bytes: initialOtadata() },
    { name: "app.bin", offset: layout.ota_0.offset, bytes },
  ]);
  const result = {
    chip: options.chip.name,
    version: options.version,
    files,
    defaults: findDefaults(bytes),
    limits: { slot: layout.ota_0.size, update: slotBytes(bytes.length) },
    ...counts,
    typeCheck: types.value,
    updateKeys: options.config.updateKeys.map(([kid]) => kid),
    ms: Date.now() - started,
  };
  const { ms: _ms, typeCheck: _types, ...facts } = result;
  const { flashMode, flashSize, flashFrequency } = options.chip.image;
  const flash = { mode: flashMode, size: flashSize, frequency: flashFrequency };
  describeBuild(options.outDir, facts, { config, flash });
  return result;
}

interface Compiled {
  readonly bytes: Uint8Array;
  readonly modules: number;
  readonly preloaded: number;
  readonly symbols: number;
}

async function compile(options: BuildOptions, manifest: Manifest, config: object): Promise<Compiled> {
  const modules = [...(await transformModules(options.root, manifest.modules)), configModule(config)];
  modules.sort((a, b) => (a.name < b.name ? -1 : 1));
  const twice = modules.find(({ name }, i) => name === modules[i + 1]?.name);
  if (twice)
    throw new BroomeError(
      "manifest-invalid",
      `two files are module ${twice.name}`,
      "Correct manifest.json's modules.",
    );
  checkImports(modules, manifest.main);
  const preload = expandPreload(manifest.preload, modules);
  const engine = await options.engine;
  const { archive, symbols } = await link(engine, {
    modules: modules.map((module) => ({ ...module, path: pathInImage(module) })),
    preload,
    resources: resourcesOf(manifest),
  });
  const bytes = makeVirtualImage(options.chip, archive, {
    version: options.version,
    securityCounter: config["sc" as keyof typeof config] as number,
    framework: `xs-${engine.xs}`,
    builtAt: buildTime(),
  });
  return { bytes, modules: modules.length, preloaded: preload.length, symbols };
}

/** What the image calls a module's file: nothing that depends on where an app outside of the project lies. */
function pathInImage({ name, path }: Module): string {
  return path.startsWith("..") || isAbsolute(path) ? `${name}.ts` : path;
}

/** The manifest's resources, and `creation.json`: the memory that the boot code gives the machine, and its main module. */
function resourcesOf(manifest: Manifest): { name: string; data: Uint8Array }[] {
  const creation = JSON.stringify({ main: manifest.main, ...manifest.creation });
  return [
    ...manifest.resources.map(({ name, file }) => ({ name, data: new Uint8Array(readFileSync(file)) })),
    { name: "creation.json", data: new TextEncoder().encode(creation) },
  ];
}

function configOf({ chip, version, config }: BuildOptions, manifest: Manifest): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const all = { sc: 0, ...manifest.config, ...given, version, chip: chip.name, layout: chip.layout.name };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** `mc/config`, as mcconfig makes it from the manifest's "config". */
function configModule(config: object): Module {
  return {
    name: "mc/config",
    path: "mc/config",
    source: `export default ${JSON.stringify(config)};\n`,
    imports: [],
  };
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), else 1970: the clock or a commit's time would change the bytes of equal sources. */
function buildTime(): Date {
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
  return new Date((Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : 0) * 1000);
}

function replacements({ root, appDir }: BuildOptions): Map<string, string> {
  return new Map(appDir === undefined ? [] : [[join(root, "firmware/app/"), resolve(appDir)]]);
}

/** Throws `version-invalid`. */
export function checkVersion(version: string): void {
  if (SEMVER.test(version) && version.length <= 31) return;
  throw new BroomeError(
    "version-invalid",
    `"${version}" is not a version`,
    "Write MAJOR.MINOR.PATCH, for example 1.0.1, at most 31 characters (semver.org).",
  );
}
