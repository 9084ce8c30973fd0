// The Moddable SDK and TypeScript: for builds with `--sdk`, and for mcconfig alone. Looked for where a build looks (tools/sdk/find.ts).

import { join } from "node:path";
import { isTooOld, isUntested, sdkFolders, TESTED } from "../sdk/find.js";
import { bad, good, type Finding } from "./finding.js";
import type { Probes } from "./probes.js";

const LEAST_TYPESCRIPT = 6; // mcconfig compiles for es2025, which 5.9 does not know

/** The folder of the SDK's own programs below build/bin. */
const HOST_FOLDERS: Readonly<Record<string, string>> = { linux: "lin", darwin: "mac", win32: "win" };

export function checkSdk(probes: Probes, needed: boolean): Finding[] {
  const folders = sdkFolders(probes);
  const folder = folders.find((each) => probes.exists(join(each, "tools/VERSION")));
  if (folder === undefined)
    return [
      bad(
        "sdk",
        needed,
        `there is no Moddable SDK in ${folders.join(", ")}`,
        `Run: npx xs-dev setup --release ${TESTED}; or set MODDABLE to the SDK's folder.`,
      ),
    ];
  const version = probes.read(join(folder, "tools/VERSION"))?.trim() ?? "";
  return [checkSdkVersion(probes, version, folder, needed), checkMcconfig(probes, folder, needed)];
}

function checkSdkVersion(probes: Probes, version: string, folder: string, needed: boolean): Finding {
  const found = `${version || "no version"} in ${folder}`;
  if (isTooOld(version))
    return bad(
      "sdk",
      needed,
      `${found}; the firmware is built with ${TESTED}`,
      `Run: npx xs-dev update --release ${TESTED}`,
    );
  const notes = [
    ...(isUntested({ version }) ? [`the firmware is checked with ${TESTED}`] : []),
    ...(probes.env.MODDABLE ? [] : ["MODDABLE is not set, which mcconfig alone wants"]),
  ];
  return good("sdk", needed, [found, ...notes].join("; "));
}

function checkMcconfig(probes: Probes, folder: string, needed: boolean): Finding {
  const host = HOST_FOLDERS[probes.platform] ?? probes.platform;
  const path = join(
    folder,
    "build/bin",
    host,
    "release",
    `mcconfig${probes.platform === "win32" ? ".bat" : ""}`,
  );
  if (probes.exists(path)) return good("sdk-tools", needed, path);
  return bad(
    "sdk-tools",
    needed,
    `there is no ${path}: the SDK's own tools are not built`,
    `Run: make -C ${join(folder, "build/makefiles", host)}, or: npx xs-dev setup --release ${TESTED}`,
  );
}

/** `build --sdk` compiles with the project's own TypeScript; mcconfig alone calls the `tsc` of the path. */
export async function checkTypeScript(probes: Probes, needed: boolean): Promise<Finding[]> {
  return [checkOwn(probes.typescript, needed), await checkTsc(probes)];
}

function checkOwn(version: string | undefined, needed: boolean): Finding {
  const name = "typescript";
  if (version === undefined) return bad(name, needed, "it is not among the packages", "Run: npm ci");
  if (isNewEnough(version)) return good(name, needed, `${version}, of the project`);
  return bad(name, needed, `${version}: ${TOO_OLD}`, "Run: npm ci");
}

const TOO_OLD = "mcconfig compiles for es2025, which it does not know";

async function checkTsc(probes: Probes): Promise<Finding> {
  const name = "tsc";
  const help = `Only mcconfig without \`broome build\` wants it. Run: npm install --global typescript@${LEAST_TYPESCRIPT}`;
  const output = await probes.run("tsc", ["--version"]);
  if (output === undefined) return bad(name, false, "there is no tsc on the path", help);
  const version = parseTypeScriptVersion(output.stdout);
  if (version === undefined) return bad(name, false, "tsc --version does not answer with a version", help);
  return isNewEnough(version)
    ? good(name, false, `${version}, on the path`)
    : bad(name, false, `${version}: ${TOO_OLD}`, help);
}

function isNewEnough(version: string): boolean {
  return Number.parseInt(version, 10) >= LEAST_TYPESCRIPT;
}

/** "Version 6.0.3" gives "6.0.3". */
export function parseTypeScriptVersion(stdout: string): string | undefined {
  return /^Version (\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
}
