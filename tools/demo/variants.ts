// The two later versions of the demo, really built from changed source while the board boots.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BroomeError } from "../error.js";
import { runVerb } from "./child.js";
import type { Demo } from "./stage.js";

/** A pin of a server that nobody has: SHA-256 of nothing in particular. */
export const FOREIGN_PIN = "AAAAAAAAAAAAAAAAAAAAAA";

/** The keys of this run: made for it, gone with it. */
export function keysOf(folder: string): Record<string, string> {
  return { BROOME_KEYS: join(folder, "keys") };
}

/** The first reading that an app adds, by its literal name, and what the demo calls it afterwards. */
function renaming(source: string): { from: string; to: string } | undefined {
  const from = /telemetry\.add\(\s*"([^"]{1,24})"/.exec(source)?.[1];
  return from === undefined ? undefined : { from, to: `air${from[0]!.toUpperCase()}${from.slice(1)}` };
}

/** Copies firmware/app and renames its first reading, as a maker would. */
function changedApp(demo: Demo, version: string): string {
  const copy = join(demo.folder, `app-${version}`);
  cpSync(join(demo.context.root, "firmware/app"), copy, { recursive: true });
  const file = join(copy, "app.ts");
  const source = readFileSync(file, "utf8");
  const names = renaming(source);
  if (!names)
    throw new BroomeError(
      "demo-app-changed",
      "firmware/app/app.ts adds no reading by a literal name, which the demo's update would rename",
      'Add one, as in telemetry.add("temperature", 21.5), or run the demo in a fresh clone.',
    );
  writeFileSync(file, source.replaceAll(`"${names.from}"`, `"${names.to}"`));
  demo.renamed = names.to;
  return copy;
}

function buildVariant(demo: Demo, version: string, extra: string[]): Promise<Record<string, unknown>> {
  return runVerb(
    demo.context.root,
    [
      "build",
      ...["--chip", demo.chip, "--version", version],
      ...["--app", changedApp(demo, version), "--out", join(demo.folder, version)],
      ...extra,
    ],
    join(demo.folder, `build-${version}.log`),
    keysOf(demo.folder),
  );
}

/** Starts both builds, one after the other, and leaves their promises in `demo.variants`. */
export function startVariants(demo: Demo): void {
  const first = buildVariant(demo, "1.0.1", []);
  const second = first.then(() => buildVariant(demo, "1.0.2", ["--set-config", `serverPin=${FOREIGN_PIN}`]));
  first.catch(() => {}); // the stage that needs it reports
  second.catch(() => {});
  demo.variants = { "1.0.1": first, "1.0.2": second };
}
