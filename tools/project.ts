// Where the project lives: the folder whose package.json is named "broome", looked for upwards from this code.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json and manifest.json. */
export function findRoot(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "broome")
      return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json named "broome" above ${from}`);
  }
}

/** The version in package.json. */
export function projectVersion(root: string): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}
