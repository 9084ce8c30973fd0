// The modules that a build with mcconfig will have, read from the manifests as mcconfig reads them ("manifest: reference"): includes,
// platforms, variables, `*`, `~`. mcconfig itself does not miss a module; the device does, at run time.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { BroomeError } from "../error.js";

/** Where a module's source lies; none for one that is C alone. */
export interface TreeModule {
  readonly name: string; // "embedded:io/socket/tcp"
  readonly file: string;
}

export interface TreeOptions {
  readonly manifest: string; // path
  /** mcconfig's `-p`: "esp32/esp32c3". */
  readonly platform: string;
  /** MODDABLE and the like. */
  readonly variables: Readonly<Record<string, string>>;
}

interface RawManifest {
  build?: Record<string, unknown>;
  include?: string | (string | object)[];
  modules?: Record<string, string | { source: string } | (string | { source: string })[]>;
  platforms?: Record<string, RawManifest>;
}

const MAX_MANIFESTS = 500;

/** Throws `manifest-invalid` for a manifest, `module-missing` for a folder or file of ours that is not there. */
export function modulesOf(options: TreeOptions): TreeModule[] {
  const reader = new Reader(options);
  reader.include(options.manifest);
  return [...reader.modules]
    .map(([name, file]) => ({ name, file }))
    .filter(({ file }) => !reader.excluded.has(file)); // `~` of a manifest counts for those that it includes, too
}

class Reader {
  readonly modules = new Map<string, string>();
  private readonly seen = new Set<string>();
  readonly excluded = new Set<string>();
  private readonly variables: Record<string, string>;
  private readonly platform: string;

  constructor({ platform, variables }: TreeOptions) {
    const [main, sub = ""] = platform.split("/");
    const { MODDABLE } = variables;
    this.platform = platform;
    this.variables = {
      BUILD: `${MODDABLE}/build`,
      BUILD_SIMULATOR: `${MODDABLE}/build/simulators`,
      PLATFORM: main!,
      SUBPLATFORM: sub,
      SUBPLATFORMMANIFEST: `${MODDABLE}/build/devices/${main}/targets/${sub}/manifest.json`,
      SUBPLATFORMDIRECTORY: `${MODDABLE}/build/devices/${main}/targets/${sub}`,
      ...variables,
    };
  }

  /** Depth first, so that what a manifest says counts after what it includes. */
  include(path: string): void {
    if (this.seen.has(path)) return;
    this.seen.add(path);
    if (this.seen.size > MAX_MANIFESTS) throw invalid(path, `more than ${MAX_MANIFESTS} manifests`);
    const raw = read(path);
    const own = this.ofPlatform(raw.platforms ?? {});
    const folder = dirname(path);
    for (const part of [raw, own]) this.define(part?.build ?? {}, folder);
    for (const part of [raw, own]) {
      for (const included of [part?.include ?? []].flat())
        if (typeof included === "string") this.include(this.path(included, folder));
    }
    for (const part of [raw, own]) this.add(part?.modules ?? {}, folder);
  }

  private define(build: Record<string, unknown>, folder: string): void {
    for (const [name, value] of Object.entries(build))
      if (typeof value === "string") this.variables[name] = this.path(value, folder);
  }

  /** The longest match wins; `esp32/*` is for every board of its own, `...` for whatever has no other. */
  private ofPlatform(platforms: Record<string, RawManifest>): RawManifest | undefined {
    const parts = this.platform.split("/");
    for (; parts.length > 0; parts.pop()) {
      const name = parts.join("/");
      const exact = Object.keys(platforms).find((key) =>
        key.endsWith("/*") ? name.startsWith(key.slice(0, -1)) : key === name,
      );
      if (exact !== undefined) return platforms[exact];
    }
    return platforms["..."];
  }

  private add(modules: NonNullable<RawManifest["modules"]>, folder: string): void {
    const entries = Object.entries(modules).map(
      ([name, sources]) =>
        [name, [sources].flat().map((s) => (typeof s === "string" ? s : s.source))] as const,
    );
    for (const [name, sources] of entries)
      if (name === "~")
        for (const source of sources)
          for (const { file } of this.files(source, folder)) this.excluded.add(file);
    for (const [name, sources] of entries)
      if (name !== "~") for (const source of sources) this.addFiles(name, source, folder);
  }

  private addFiles(name: string, source: string, folder: string): void {
    for (const { file, rest } of this.files(source, folder)) {
      this.modules.set(name.endsWith("*") ? name.slice(0, -1) + rest : name, file);
    }
  }

  /** Files of a pattern: a name without its extension, or a beginning and `*`. */
  private files(source: string, folder: string): { file: string; rest: string }[] {
    const path = this.path(source, folder);
    const { dir, base } = parse(path);
    const beginning = base.endsWith("*") ? base.slice(0, -1) : undefined;
    if (!existsSync(dir))
      throw new BroomeError(
        "module-missing",
        `there is no folder ${dir}`,
        'A manifest names it: see its "modules".',
      );
    return readdirSync(dir)
      .filter((name) => isModule(name) && statSync(join(dir, name)).isFile())
      .map((name) => ({ file: join(dir, name), stem: name.replace(/\.[^.]+$/, "") }))
      .filter(({ stem, file }) =>
        beginning === undefined ? stem === base || parse(file).base === base : stem.startsWith(beginning),
      )
      .map(({ file, stem }) => ({ file, rest: stem.slice(beginning?.length ?? 0) }));
  }

  private path(text: string, folder: string): string {
    const resolved = text.replace(/\$\(([^)]+)\)/g, (_, name: string) => this.variables[name] ?? "");
    return resolved.startsWith(".") ? join(folder, resolved) : resolved;
  }
}

function isModule(name: string): boolean {
  return /\.(js|mjs|ts|json)$/.test(name) && !name.endsWith(".d.ts") && !name.startsWith("manifest");
}

function read(path: string): RawManifest {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RawManifest;
  } catch (cause) {
    throw invalid(path, (cause as Error).message, cause);
  }
}

function invalid(path: string, why: string, cause?: unknown): BroomeError {
  return new BroomeError("manifest-invalid", `${path}: ${why}`, "Correct the manifest.", { cause });
}
