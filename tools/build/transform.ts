// TypeScript to JavaScript, one file at a time (a bundle would rename and merge modules), and what each module imports.

import { transform, type TransformFailure } from "esbuild";
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { BroomeError } from "../error.js";
import type { ModuleFile } from "./manifest.js";

export interface Module {
  readonly name: string;
  readonly path: string; // as the user knows it, relative to the root
  readonly source: string; // JavaScript
  /** Source map (JSON), so that messages name the lines of the TypeScript. */
  readonly map?: string;
  /** Names of the modules it imports, resolved. */
  readonly imports: readonly string[];
}

/**
 * Reads and transforms all files. Throws `compile-error` with "file:line:column: message" lines, `module-missing`.
 *
 * @param prepare what is done to the text of a JavaScript file before, within its lines
 */
export async function transformModules(
  root: string,
  files: readonly ModuleFile[],
  prepare: (text: string) => string = (text) => text,
): Promise<Module[]> {
  const results = await Promise.allSettled(files.map((file) => transformModule(root, file, prepare)));
  const failures = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as Error] : [],
  );
  if (failures.length > 0) throw merge(failures);
  return results.map((result) => (result as PromiseFulfilledResult<Module>).value);
}

async function transformModule(
  root: string,
  { name, file }: ModuleFile,
  prepare: (text: string) => string,
): Promise<Module> {
  const path = relative(root, file);
  const text = await readFile(file, "utf8").catch((cause) => {
    throw new BroomeError("module-missing", `${path} is not there`, "manifest.json names it.", { cause });
  });
  try {
    const typed = file.endsWith(".ts");
    const { code, map } = await transform(typed ? text : prepare(text), {
      loader: typed ? "ts" : "js",
      format: "esm",
      target: "es2022",
      charset: "utf8",
      legalComments: "none",
      sourcefile: path,
      sourcemap: "external",
      sourcesContent: false,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
    });
    return {
      name,
      path,
      source: code,
      map,
      imports: importsOf(code).map((specifier) => resolve(name, specifier)),
    };
  } catch (failure) {
    const lines = ((failure as TransformFailure).errors ?? []).map(
      ({ location, text }) => `${path}:${location?.line ?? 1}:${(location?.column ?? 0) + 1}: ${text}`,
    );
    throw new BroomeError(
      "compile-error",
      lines.join("\n") || String(failure),
      "Correct the line and build again.",
    );
  }
}

/** Several files' errors as one. */
function merge(failures: readonly Error[]): Error {
  const own = failures.filter((failure) => failure instanceof BroomeError);
  if (own.length < failures.length) return failures.find((failure) => !(failure instanceof BroomeError))!;
  const first = own[0]!;
  const message = own
    .filter(({ code }) => code === first.code)
    .map((failure) => failure.message)
    .join("\n");
  return new BroomeError(first.code, message, first.help);
}

/** Static and dynamic imports of esbuild's output, which begins every statement on a line of its own. */
export function importsOf(code: string): string[] {
  const statements = code.matchAll(/^(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*"([^"\n]+)";$/gm);
  const calls = code.matchAll(/\bimport\("([^"\n]+)"\)/g);
  return [...new Set([...statements, ...calls].map((match) => match[1]!))];
}

/** The module name that `specifier` means in module `from`, as XS resolves it: relative paths by folder, ".js" taken off. */
export function resolve(from: string, specifier: string): string {
  const name = specifier.replace(/\.js$/, "");
  if (!specifier.startsWith(".")) return name;
  const parts = from.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
