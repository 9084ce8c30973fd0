// The manifest that a build hands to mcconfig: the project's own, with what `broome build` was asked for.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface ProjectOptions {
  /** The folder of the project's manifest.json. */
  readonly root: string;
  /** The folder to make: mcconfig calls the program by its name. */
  readonly folder: string;
  /** Members of `mc/config`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Another folder in the place of firmware/app. */
  readonly appDir?: string | undefined;
  /** Members of the manifest besides: another main module, for tests. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/** Path of the manifest. Written only where it says something new, so that an unchanged build does nothing. */
export function writeProject({ root, folder, config, appDir, more }: ProjectOptions): string {
  const app = join(root, "firmware/app");
  const manifest = {
    include: [join(root, "manifest.json")],
    config,
    typescript: { compiler: `"${process.execPath}" "${join(root, "tools/sdk/tsc.mjs")}"` },
    ...more,
    ...(appDir !== undefined && { modules: { "~": [`${app}/*`], "firmware/app/*": [`${appDir}/*`] } }),
  };
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "manifest.json");
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
  return path;
}

/** Where mcconfig puts things for a release build of the manifest in `folder`, under its output folder `out`. */
export function outputPaths(out: string, platform: string, folder: string): { bin: string; work: string } {
  // `lin` has no boards of its own; mcconfig calls the one that it has "mc".
  const sub = platform === "lin" ? "lin/mc" : platform;
  const name = basename(folder);
  return { bin: join(out, "bin", sub, "release", name), work: join(out, "tmp", sub, "release", name) };
}
