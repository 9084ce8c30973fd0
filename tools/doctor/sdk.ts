// The Moddable SDK, what it needs for each chip, and TypeScript: for builds with `--sdk` (mcconfig).

import { join } from "node:path";
import { bad, good, type Finding } from "./finding.js";
import type { Probes } from "./probes.js";

/** The version that the firmware is built and checked with. */
const SDK_VERSION = "8.2.3";
const IDF_VERSION = "v6.0"; // what SDK 8.2.3 expects, where its manifest does not say
const LEAST_TYPESCRIPT = 6; // mcconfig compiles for es2025, which 5.9 does not know

/** The folder of the SDK's own programs below build/bin. */
const HOST_FOLDERS: Readonly<Record<string, string>> = { linux: "lin", darwin: "mac", win32: "win" };

/** `xs-dev setup --device` for a chip; the classic name stands for the whole family. */
function setup(device: string): string {
  return `npx xs-dev setup${device === "" ? "" : ` --device ${device}`}, then open a new terminal.`;
}

export function checkSdk(probes: Probes, needed: boolean): Finding[] {
  const folder = probes.env.MODDABLE;
  if (!folder) return [bad("sdk", needed, "MODDABLE is not set", `Run: ${setup("")}`)];
  const version = probes.read(join(folder, "tools/VERSION"))?.trim();
  if (version === undefined)
    return [
      bad(
        "sdk",
        needed,
        `MODDABLE is ${folder}, which holds no Moddable SDK (tools/VERSION)`,
        `Set MODDABLE to the SDK's folder, or run: ${setup("")}`,
      ),
    ];
  return [checkSdkVersion(version, folder, needed), checkMcconfig(probes, folder, needed)];
}

function checkSdkVersion(version: string, folder: string, needed: boolean): Finding {
  const found = `${version} in ${folder}`;
  if (version === SDK_VERSION) return good("sdk", needed, found);
  if (Number.parseInt(version, 10) >= Number.parseInt(SDK_VERSION, 10))
    return good("sdk", needed, `${found}; the firmware is checked with ${SDK_VERSION}`);
  return bad(
    "sdk",
    needed,
    `${found} is older than ${SDK_VERSION}`,
    "Run: npx xs-dev update, then open a new terminal.",
  );
}

function checkMcconfig(probes: Probes, folder: string, needed: boolean): Finding {
  const bin = join(folder, "build/bin", HOST_FOLDERS[probes.platform] ?? probes.platform, "release");
  const suffix = probes.platform === "win32" ? ".bat" : "";
  const path = join(bin, `mcconfig${suffix}`);
  if (probes.exists(path)) return good("sdk-tools", needed, path);
  return bad(
    "sdk-tools",
    needed,
    `there is no ${path}: the SDK's own tools are not built`,
    `Run: make -C ${join(folder, "build/makefiles", HOST_FOLDERS[probes.platform] ?? "lin")}, or ${setup("")}`,
  );
}

/** mcconfig calls `tsc` from the path. */
export async function checkTypeScript(probes: Probes, needed: boolean): Promise<Finding> {
  const help = `Run: npm install --global typescript@${LEAST_TYPESCRIPT}`;
  const output = await probes.run("tsc", ["--version"]);
  if (output === undefined) return bad("typescript", needed, "there is no tsc on the path", help);
  const version = parseTypeScriptVersion(output.stdout);
  if (version === undefined)
    return bad("typescript", needed, "tsc --version does not answer with a version", help);
  if (Number.parseInt(version, 10) >= LEAST_TYPESCRIPT) return good("typescript", needed, version);
  return bad("typescript", needed, `${version}: mcconfig compiles for es2025, which it does not know`, help);
}

/** "Version 6.0.3" gives "6.0.3". */
export function parseTypeScriptVersion(stdout: string): string | undefined {
  return /^Version (\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
}

/** ESP-IDF, in the version that the SDK expects, with its tools on the path. */
export async function checkIdf(probes: Probes, compiler: string, needed: boolean): Promise<Finding[]> {
  const expected = expectedIdf(probes);
  const folder = probes.env.IDF_PATH;
  if (!folder) return [bad("esp-idf", needed, "IDF_PATH is not set", `Run: ${setup("esp32")}`)];
  const described = await probes.run("git", ["-C", folder, "describe", "--always", "--abbrev=0"]);
  const version = described?.status === 0 ? described.stdout.trim() : undefined;
  return [
    judgeIdf(version, expected, folder, needed),
    await checkTools(probes, folder, ["idf.py", compiler], needed),
  ];
}

/** mcconfig asks git for the version, so a copy without its history does not do. */
function judgeIdf(version: string | undefined, expected: string, folder: string, needed: boolean): Finding {
  const clone = `git clone -b ${expected} --recursive https://github.com/espressif/esp-idf, or run: ${setup("esp32")}`;
  if (version === undefined)
    return bad("esp-idf", needed, `git cannot tell the version of IDF_PATH ${folder}`, clone);
  const [wanted, is] = [releaseOf(expected), releaseOf(version)];
  if (is !== undefined && is === wanted) return good("esp-idf", needed, `${version} in ${folder}`);
  return bad("esp-idf", needed, `${version} in ${folder}; the SDK wants ${expected}`, clone);
}

/** "v6.0.1" and "v6.0" are the same release to the SDK. */
function releaseOf(version: string): string | undefined {
  return /^v(\d+\.\d+)/.exec(version)?.[1];
}

function expectedIdf(probes: Probes): string {
  const { MODDABLE } = probes.env;
  const text = MODDABLE && probes.read(join(MODDABLE, "build/devices/esp32/manifest.json"));
  return parseExpectedIdf(text ?? "") ?? IDF_VERSION;
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
  const path = (probes.env.PATH ?? "").split(probes.platform === "win32" ? ";" : ":");
  const missing = commands.filter((command) => !path.some((place) => probes.exists(join(place, command))));
  if (missing.length === 0) return good("esp-idf-tools", needed, commands.join(", "));
  return bad(
    "esp-idf-tools",
    needed,
    `not on the path: ${missing.join(", ")}`,
    `In every new terminal: source ${join(folder, "export.sh")} (once before it: ${join(folder, "install.sh")})`,
  );
}

/** What the SDK builds ESP8266 firmware with: three folders. */
export function checkEsp8266(probes: Probes, needed: boolean): Finding {
  const { ESP_BASE, ARDUINO_ROOT } = probes.env;
  const system = probes.platform === "darwin" ? "Darwin" : "Linux"; // uname
  const wanted: [string, string | undefined][] = [
    ["ESP_BASE", ESP_BASE],
    ["ARDUINO_ROOT", ARDUINO_ROOT ?? (ESP_BASE && join(ESP_BASE, "esp8266-2.3.0"))],
    ["ESP8266_RTOS_SDK", ESP_BASE && join(ESP_BASE, "ESP8266_RTOS_SDK")],
    ["the compiler", ESP_BASE && join(ESP_BASE, "toolchain", system)],
  ];
  for (const [what, folder] of wanted)
    if (!folder || !probes.exists(folder))
      return bad(
        "esp8266-tools",
        needed,
        folder ? `${what}: there is no ${folder}` : `${what} is not set`,
        `Run: ${setup("esp8266")}`,
      );
  return good("esp8266-tools", needed, ESP_BASE!);
}
