// What a build with the SDK needs besides for each chip: ESP-IDF, the ESP8266's tools, the headers of a Linux process.

import { join } from "node:path";
import { esp8266Needs, esp8266Variables, idfFolder, sdkFolders } from "../sdk/find.js";
import { bad, good, type Finding } from "./finding.js";
import type { Probes } from "./probes.js";

const IDF_VERSION = "v6.0"; // what SDK 8.2.3 expects, where its manifest does not say

/** ESP-IDF, in the version that the SDK expects, with its tools on the path or brought there by its export.sh. */
export async function checkIdf(probes: Probes, compiler: string, needed: boolean): Promise<Finding[]> {
  const folder = idfFolder(probes);
  if (!probes.exists(folder))
    return [
      bad(
        "esp-idf",
        needed,
        `there is no ${folder}`,
        "Run: npx xs-dev setup --device esp32; or set IDF_PATH.",
      ),
    ];
  const described = await probes.run("git", ["-C", folder, "describe", "--always", "--abbrev=0"]);
  const version = described?.status === 0 ? described.stdout.trim() : undefined;
  return [
    judgeIdf(version, expectedIdf(probes), folder, needed),
    await checkTools(probes, folder, ["idf.py", compiler], needed),
  ];
}

/** mcconfig asks git for the version, so a copy without its history does not do. */
function judgeIdf(version: string | undefined, expected: string, folder: string, needed: boolean): Finding {
  const help = `Run: npx xs-dev update --device esp32 (xs-dev 1.11 or newer), or: git clone -b ${expected} --recursive https://github.com/espressif/esp-idf`;
  if (version === undefined)
    return bad("esp-idf", needed, `git cannot tell the version of ESP-IDF in ${folder}`, help);
  const [wanted, is] = [releaseOf(expected), releaseOf(version)];
  if (is !== undefined && is === wanted) return good("esp-idf", needed, `${version} in ${folder}`);
  return bad("esp-idf", needed, `${version} in ${folder}; the SDK wants ${expected}`, help);
}

/** "v6.0.1" and "v6.0" are the same release to the SDK. */
function releaseOf(version: string): string | undefined {
  return /^v(\d+\.\d+)/.exec(version)?.[1];
}

function expectedIdf(probes: Probes): string {
  const texts = sdkFolders(probes).map((folder) =>
    probes.read(join(folder, "build/devices/esp32/manifest.json")),
  );
  return parseExpectedIdf(texts.find((text) => text !== undefined) ?? "") ?? IDF_VERSION;
}

/** EXPECTED_ESP_IDF in the SDK's manifest of the platform, which is JSON with comments. */
export function parseExpectedIdf(manifest: string): string | undefined {
  return /"EXPECTED_ESP_IDF"\s*:\s*"(v\d[\w.-]*)"/.exec(manifest)?.[1];
}

async function checkTools(
  probes: Probes,
  folder: string,
  commands: readonly string[],
  needed: boolean,
): Promise<Finding> {
  const name = "esp-idf-tools";
  const path = (probes.env.PATH ?? "").split(probes.platform === "win32" ? ";" : ":");
  const missing = commands.filter((command) => !path.some((place) => probes.exists(join(place, command))));
  if (missing.length === 0) return good(name, needed, `${commands.join(", ")}, on the path`);
  const script = join(folder, "export.sh");
  const lacking = await missingAfter(probes, script, commands);
  if (lacking?.length === 0)
    return good(
      name,
      needed,
      `${commands.join(", ")}, by export.sh (\`build\` asks it; mcconfig alone wants it sourced)`,
    );
  return bad(
    name,
    needed,
    lacking ? `not on the path, nor by export.sh: ${lacking.join(", ")}` : `${script} does not work here`,
    `Run: ${join(folder, "install.sh")}`,
  );
}

/** Which commands a shell lacks that has read export.sh; undefined where it cannot. */
async function missingAfter(
  probes: Probes,
  script: string,
  commands: readonly string[],
): Promise<string[] | undefined> {
  const ask =
    '. "$1" 1>&2 || exit 1; shift; for each; do command -v "$each" >/dev/null || echo "$each"; done';
  const output = await probes.run("bash", ["-c", ask, "bash", script, ...commands]);
  return output?.status === 0 ? output.stdout.split("\n").filter((line) => line !== "") : undefined;
}

/** What the SDK builds ESP8266 firmware with. */
export function checkEsp8266(probes: Probes, needed: boolean): Finding {
  const variables = esp8266Variables(probes);
  const gone = esp8266Needs(variables).filter((path) => !probes.exists(path));
  if (gone.length === 0) return good("esp8266-tools", needed, variables.ESP_BASE);
  return bad(
    "esp8266-tools",
    needed,
    `there is no ${gone.join(", no ")}`,
    "Run: npx xs-dev setup --device esp8266; or set ESP_BASE and ARDUINO_ROOT.",
  );
}

/** What a `lin` build and its runner are compiled against. */
export async function checkLin(probes: Probes, needed: boolean): Promise<Finding> {
  const output = await probes.run("pkg-config", ["--modversion", "glib-2.0"]);
  if (output?.status === 0) return good("lin-tools", needed, `GLib ${output.stdout.trim()}`);
  return bad(
    "lin-tools",
    needed,
    output ? "pkg-config knows no glib-2.0" : "there is no pkg-config",
    "Install them: sudo apt install pkg-config libglib2.0-dev.",
  );
}
