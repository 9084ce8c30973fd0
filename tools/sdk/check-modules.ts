// Every import of our modules against the modules that the build will have: mcconfig builds without a word what then fails on the board.

import { transformModules } from "../build/transform.js";
import { BroomeError } from "../error.js";
import { modulesOf, type TreeOptions } from "./manifest-tree.js";

/** Made by mcconfig itself. */
const GENERATED = ["mc/config", "mod/config"];

/** Number of modules of ours. Throws `module-missing`, `manifest-invalid`, `compile-error`. */
export async function checkModules(root: string, options: TreeOptions): Promise<number> {
  const all = modulesOf(options);
  const names = new Set([...all.map(({ name }) => name), ...GENERATED]);
  const ours = all.filter(
    ({ file }) => !file.startsWith(options.variables.MODDABLE!) && /\.(ts|js)$/.test(file),
  );
  for (const { name, path, imports } of await transformModules(root, ours, plainJavaScript))
    for (const wanted of imports) {
      if (names.has(wanted)) continue;
      throw new BroomeError(
        "module-missing",
        `${path} imports ${wanted}, which a build for ${options.platform} does not have (module ${name})`,
        `Give it to the platform: "platforms" in manifest.json, under "${options.platform}", "modules" or "include".`,
      );
    }
  return ours.length;
}

/** XS's own syntax for what C does: `close() @ "xs_close"`, `class Port @ "xs_port_destructor" {`. Only xsc reads it. */
const HOST_FUNCTION = /\)\s*@\s*(["'])[^"'\n]*\1/g;
const HOST_CLASS = /\bclass\b([^{@\n]*)@\s*(["'])[^"'\n]*\2/g;

function plainJavaScript(text: string): string {
  return text.replace(HOST_FUNCTION, ") {}").replace(HOST_CLASS, "class$1");
}
