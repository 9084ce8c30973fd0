// Reads manifest.json as Moddable's mcconfig does ("manifest: reference"), as far as a virtual chip needs it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { BroomeError } from "../error.js";
import type { Creation } from "../engine/engine.js";

/** A module: its name for XS, and its file. */
export interface ModuleFile {
  readonly name: string;
  readonly file: string; // absolute
}

export interface Manifest {
  readonly main: string;
  readonly creation: Creation;
  readonly modules: readonly ModuleFile[];
  /** Patterns: a name, or a folder and `*`. */
  readonly preload: readonly string[];
  readonly resources: readonly { readonly name: string; readonly file: string }[];
  readonly config: Readonly<Record<string, unknown>>;
}

const paths = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const maps = z.record(z.string(), paths).default({});
const pool = z.object({ initial: z.int().positive(), incremental: z.int().nonnegative() });
const config = z.record(z.string(), z.unknown()).default({});
const schema = z.object({
  creation: z.object({
    main: z.string(),
    static: z.int().positive(),
    chunk: pool,
    heap: pool,
    stack: z.int().positive(),
    keys: pool.extend({ name: z.int().positive(), symbol: z.int().positive() }),
  }),
  modules: maps,
  preload: paths.default([]),
  resources: maps,
  config,
  platforms: z
    .record(z.string(), z.object({ modules: maps, resources: maps, preload: paths.default([]), config }))
    .default({}),
});

/**
 * The manifest at `root`, with what its platform `platform` adds. `replaced` puts other folders in the place of folders of the
 * manifest: absolute path to absolute path. Throws `manifest-invalid`.
 */
export function readManifest(
  root: string,
  platform: string,
  replaced: ReadonlyMap<string, string>,
): Manifest {
  const file = join(root, "manifest.json");
  const raw = parse(file);
  const own = raw.platforms[platform];
  if (!own) throw invalid(file, `it has no platform "${platform}"`);
  const modules = [
    ...expand(root, raw.modules, replaced, isModule),
    ...expand(root, own.modules, replaced, isModule),
  ];
  const { keys, chunk, heap } = raw.creation;
  return {
    main: raw.creation.main,
    creation: {
      staticSize: raw.creation.static,
      chunkInitial: chunk.initial,
      chunkIncrement: chunk.incremental,
      heapInitial: heap.initial,
      heapIncrement: heap.incremental,
      stack: raw.creation.stack,
      keyInitial: keys.initial,
      keyIncrement: keys.incremental,
      nameModulo: keys.name,
      symbolModulo: keys.symbol,
    },
    modules: modules.map(({ name, file }) => ({ name: withoutExtension(name), file })),
    preload: [...raw.preload, ...own.preload],
    resources: [...expand(root, raw.resources, replaced), ...expand(root, own.resources, replaced)],
    config: { ...raw.config, ...own.config },
  };
}

function parse(file: string): z.infer<typeof schema> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw invalid(file, (cause as Error).message, cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(file, `${issue!.path.join(".")}: ${issue!.message}`);
}

/** `"name/*": ["./folder/*"]` to the files of that folder (not of its sub-folders); a folder that is not there has none. */
function expand(
  root: string,
  map: Record<string, string[]>,
  replaced: ReadonlyMap<string, string>,
  wanted: (name: string) => boolean = () => true,
): { name: string; file: string }[] {
  return Object.entries(map).flatMap(([name, sources]) =>
    sources.flatMap((source) => {
      if (!source.endsWith("*")) return [{ name, file: fileOf(join(root, source)) }];
      const folder = join(root, source.slice(0, -1));
      return filesIn(replaced.get(folder) ?? folder)
        .filter((file) => wanted(basename(file)))
        .map((file) => ({ name: name.replace("*", basename(file)), file }));
    }),
  );
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(folder, entry.name)).sort();
}

/** Manifests name a module's file without its extension. */
function fileOf(path: string): string {
  return [path, `${path}.ts`, `${path}.js`].find((candidate) => existsSync(candidate)) ?? `${path}.ts`;
}

function isModule(name: string): boolean {
  return (name.endsWith(".ts") && !name.endsWith(".d.ts")) || name.endsWith(".js");
}

function withoutExtension(name: string): string {
  return name.replace(/\.(ts|js)$/, "");
}

function invalid(file: string, why: string, cause?: unknown): BroomeError {
  return new BroomeError("manifest-invalid", `${file}: ${why}`, "README and DESIGN.md tell what it holds.", {
    cause,
  });
}
