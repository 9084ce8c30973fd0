// A small project in a folder of its own, built as the real one is: manifest, firmware, virtual platform.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type BuildResult } from "../../../tools/build/build.js";
import { chipByName } from "../../../tools/chips/registry.js";
import { prepareEngine } from "../../../tools/engine/engine.js";

export const projectRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

const files: Record<string, string> = {
  "firmware/main.ts": `import console from "device/console";
import config from "mc/config";
import { greeting } from "./app/app.js";
console.write(greeting(config.version));
`,
  "firmware/app/app.ts": `import { shout } from "../format/shout.js";
export function greeting(version: string): string {
  return shout(\`hello from \${version}\`);
}
`,
  "firmware/format/shout.ts": `export function shout(text: string): string {
  return text.toUpperCase();
}
`,
  "firmware/device/virtual/console.ts": `declare function bus(op: string, ...args: unknown[]): unknown;
export default { write: (text: string): void => void bus("console.write", text) };
`,
};

export interface Project {
  readonly root: string;
  write(path: string, text: string | Uint8Array): void;
  build(more?: Partial<BuildOptions>): Promise<BuildResult>;
  remove(): void;
}

/** `cacheDir` keeps the state of type checks. */
export function newProject(cacheDir: string): Project {
  const root = mkdtempSync(join(tmpdir(), "broome-build-"));
  const write = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const path of [
    "manifest.json",
    "firmware/tsconfig.json",
    "firmware/mc-config.d.ts",
    "firmware/device/sdk/scan-record.ts",
    "firmware/device/sdk/wifi-reasons.ts",
    "firmware/resources",
  ])
    cpSync(join(projectRoot, path), join(root, path), { recursive: true });
  return {
    root,
    write,
    build: (more) =>
      build({
        root,
        cacheDir,
        chip: chipByName("esp32c3"),
        version: "1.0.0",
        outDir: join(root, "build"),
        engine: prepareEngine({ cacheDir: join(projectRoot, ".broome") }),
        config: { updateKeys: [] },
        ...more,
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
