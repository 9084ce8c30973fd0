// TypeScript and bytecode of an ESP32 build where there is no ESP-IDF: mcconfig's own makefile as far as the linked archive (xsl).

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { checkMerged } from "../../tools/sdk/sdkconfig.js";
import { checkTypes } from "../../tools/sdk/check-types.js";
import type { Sdk } from "../../tools/sdk/find.js";
import { runMcconfig } from "../../tools/sdk/mcconfig.js";
import { outputPaths, writeProject } from "../../tools/sdk/project.js";
import { sdkTarget } from "../../tools/sdk/target.js";

export interface Bytecode {
  /** Number of modules whose types were checked with the SDK's typings. */
  readonly modules: number;
  /** What mcconfig generated lies there. */
  readonly work: string;
}

/** Throws what goes wrong. */
export async function buildBytecode(root: string, sdk: Sdk, chip: string): Promise<Bytecode> {
  const target = sdkTarget(chip);
  const cache = join(root, ".broome/sdk");
  const folder = join(cache, `${chip}-bytecode`);
  const out = join(cache, "out");
  mkdirSync(out, { recursive: true });
  writeProject({ root, folder, config: { version: "0.0.0" } });
  const idf = fakeIdf();
  try {
    const env = {
      ...process.env,
      MODDABLE: sdk.root,
      IDF_PATH: idf,
      PATH: sdk.tools + delimiter + process.env.PATH,
    };
    const logFile = join(folder, "build.log");
    await runMcconfig({ sdk, target, folder, out, logFile, env, generateOnly: true });
    const { work } = outputPaths(out, target.platform, folder);
    const merged = join(work, `xsProj-${target.subclass}`, "sdkconfig.mc");
    checkMerged(readFileSync(merged, "utf8"), merged);
    const modules = await checkTypes(join(work, "modules"), undefined);
    const settings = join(work, `xsProj-${target.subclass}`, "build/config");
    mkdirSync(settings, { recursive: true });
    writeFileSync(join(settings, "sdkconfig.h"), ""); // newer than what it is made of: no ESP-IDF is asked
    const linked = join(work, "mc.xs.c");
    rmSync(linked, { force: true });
    execFileSync("make", ["-f", join(work, "makefile"), linked], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (!existsSync(linked)) throw new Error(`make ended, and there is no ${linked}`);
    return { modules, work };
  } finally {
    rmSync(idf, { recursive: true, force: true });
  }
}

/** A repository whose version is the one that the SDK asks for: the makefile looks at nothing else before it compiles C. */
function fakeIdf(): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-idf-"));
  const git = (...argv: string[]) =>
    execFileSync(
      "git",
      ["-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.org", ...argv],
      { stdio: "pipe" },
    );
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "ESP-IDF in name only");
  git("tag", "v6.0");
  return folder;
}
