// What the linker would only notice at run time: imports of modules that are not there, and of the device's by anyone but main.

import { BroomeError } from "../error.js";
import type { Module } from "./transform.js";

/** Throws `module-missing`, `import-not-allowed`. */
export function checkImports(modules: readonly Module[], main: string): void {
  const names = new Set(modules.map(({ name }) => name));
  for (const { name, path, imports } of modules) {
    for (const wanted of imports) {
      if (!names.has(wanted))
        throw new BroomeError(
          "module-missing",
          `${path} imports ${wanted}, which is not there`,
          "Correct the import, or add its folder to manifest.json (one line a folder).",
        );
      const seam = wanted.startsWith("device/") || wanted === "mc/config";
      if (seam && name !== main && !name.startsWith("device/"))
        throw new BroomeError(
          "import-not-allowed",
          `${path} imports ${wanted}: only ${main} may`,
          `Let ${main} hand it over: devices are passed in.`,
        );
    }
  }
}

/** The names of `modules` that a list of patterns means: a name, or a folder and `*`. Throws `module-missing` for a name. */
export function expandPreload(patterns: readonly string[], modules: readonly Module[]): string[] {
  const names = modules.map(({ name }) => name);
  const chosen = patterns.flatMap((pattern) => {
    if (pattern.endsWith("*")) return names.filter((name) => name.startsWith(pattern.slice(0, -1)));
    if (!names.includes(pattern))
      throw new BroomeError(
        "module-missing",
        `preload names ${pattern}, which is not there`,
        "Correct manifest.json.",
      );
    return [pattern];
  });
  return [...new Set(chosen)];
}
