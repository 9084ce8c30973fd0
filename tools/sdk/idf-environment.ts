// ESP-IDF's own environment: idf.py, compilers and Python come onto the path by its export.sh, in every new terminal. Where that was not
// done, a build asks export.sh itself ("ESP-IDF Programming Guide", Get Started, "Set up the Environment Variables").

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BroomeError } from "../error.js";
import type { Place } from "./find.js";

const EXPORT_TIMEOUT_MS = 120_000; // it looks at every Python package
const MAX_OUTPUT = 1 << 22; // bytes
const LAST_LINES = 4;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables with which `commands` are found: those of `place`, or what export.sh makes of them. Throws `sdk-missing`.
 */
export function idfEnvironment(place: Place, idf: string, commands: readonly string[]): Environment {
  const env: Environment = { ...place.env, IDF_PATH: idf };
  if (missingOn(env, place.platform, commands).length === 0) return env;
  const { made, said } = place.platform === "win32" ? { made: env, said: "" } : exported(env, idf);
  const missing = missingOn(made, place.platform, commands);
  if (missing.length === 0) return made;
  const why = `not on the path: ${missing.join(", ")}`;
  throw notInstalled(idf, said === "" ? why : `${why}; its export.sh said: ${said}`);
}

/** The commands that are in no folder of PATH. */
export function missingOn(env: Environment, platform: string, commands: readonly string[]): string[] {
  const [separator, suffixes] = platform === "win32" ? [";", ["", ".exe", ".bat"]] : [":", [""]];
  const folders = (env.PATH ?? "").split(separator).filter((folder) => folder !== "");
  const there = (command: string) =>
    folders.some((folder) => suffixes.some((suffix) => existsSync(join(folder, command + suffix))));
  return commands.filter((command) => !there(command));
}

/** What a shell has after export.sh, and its last words: ESP-IDF 6.0's ends with 0 where its own tools are not installed, too. */
function exported(env: Environment, idf: string): { made: Environment; said: string } {
  const script = '. "$IDF_PATH/export.sh" 1>&2 && env -0';
  const { status, stdout, stderr, error } = spawnSync("bash", ["-c", script], {
    ...{ env, encoding: "utf8", timeout: EXPORT_TIMEOUT_MS, maxBuffer: MAX_OUTPUT },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = lastErrors(stderr);
  if (status === 0) return { made: parseVariables(stdout), said };
  throw notInstalled(idf, `its export.sh failed: ${error?.message ?? said}`);
}

/** The lines that call themselves errors, else the last ones. */
function lastErrors(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => line.startsWith("ERROR"));
  return (errors.length > 0 ? errors : lines).slice(-LAST_LINES).join("\n");
}

/** `env -0`: NAME=VALUE, each with a zero behind it. */
export function parseVariables(text: string): Environment {
  const pairs = text.split("\0").map((pair) => [pair.slice(0, pair.indexOf("=")), pair] as const);
  return Object.fromEntries(
    pairs.filter(([name]) => name !== "").map(([name, pair]) => [name, pair.slice(name.length + 1)]),
  );
}

function notInstalled(idf: string, why: string): BroomeError {
  return new BroomeError(
    "sdk-missing",
    `the tools of ESP-IDF in ${idf} cannot be used: ${why}`,
    `Install them: xs-dev setup --device esp32, or ${join(idf, "install.sh")}; then build again.`,
  );
}
