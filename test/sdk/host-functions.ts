// Whether each host function that the linked bytecode names is defined in a C file of the same build: what a linker would find, where
// there is none for the chip. By name alone: a definition that the preprocessor takes out counts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `work` is where mcconfig's makefile and mc.xs.c lie. Number of functions; throws the names that nothing defines. */
export function checkHostFunctions(work: string, moddable: string): number {
  const linked = readFileSync(join(work, "mc.xs.c"), "utf8");
  const names = [...new Set(linked.match(/\bxs_\w+/g) ?? [])];
  const defined = new Set(
    sourcesOf(work, moddable).flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/\b(xs_\w+)\s*\(/g)].map(([, name]) => name),
    ),
  );
  const missing = names.filter((name) => !defined.has(name));
  if (names.length === 0) throw new Error(`${work}/mc.xs.c names no host function`);
  if (missing.length > 0) throw new Error(`no C file of the build defines ${missing.join(", ")}`);
  return names.length;
}

/** The C files of the makefile's rules, and XS's own for the chips. */
function sourcesOf(work: string, moddable: string): string[] {
  const makefile = readFileSync(join(work, "makefile"), "utf8");
  const listed = [...makefile.matchAll(/^\S+\.c\.o: (\/\S+\.c)\b/gm)].map(([, file]) => file!);
  const platforms = ["esp", "mc"].map((name) => join(moddable, "xs/platforms", name));
  const own = platforms.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".c"))
      .map((name) => join(folder, name)),
  );
  return [...listed.filter((file) => existsSync(file)), ...own];
}
