// Finds the Moddable SDK and the chip's toolchain, and refuses what would fail later and say less.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BroomeError } from "../error.js";
import type { SdkTarget } from "./target.js";

export interface Sdk {
  readonly root: string; // $MODDABLE
  readonly version: string; // "8.2.3"
  /** The folder of mcconfig, xsc and xsl. */
  readonly tools: string;
}

/** Of the machine: `home` and the variables that the SDK's own instructions set. */
export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** What this was built with. Older ones lack `native` in TypeScript's way, or ask for another ESP-IDF. */
export const TESTED = "8.2.3";
const OLDEST = [8, 2] as const;
/** What SDK 8.2's manifest of the ESP32 asks for (EXPECTED_ESP_IDF). */
const IDF = "6.0";

const HOSTS: Readonly<Record<string, string>> = { linux: "lin", darwin: "mac", win32: "win" };

/** Where it may lie: $MODDABLE, else where `xs-dev` and the SDK's instructions put it. */
export function sdkFolders({ env, home }: Pick<Place, "env" | "home">): string[] {
  if (env.MODDABLE) return [env.MODDABLE];
  return [".local/share/moddable", "Projects/moddable", "moddable"].map((path) => join(home, path));
}

/** How to install what the platform needs besides the SDK. */
const DEVICE_SETUP: Readonly<Record<SdkTarget["toolchain"], string>> = {
  "esp-idf": ", then xs-dev setup --device esp32",
  esp8266: ", then xs-dev setup --device esp8266",
  host: "",
};

/** `toolchain` is what the help speaks of. Throws `sdk-missing`, `sdk-version`. */
export function findSdk(place: Place, toolchain: SdkTarget["toolchain"] = "esp-idf"): Sdk {
  const looked = sdkFolders(place);
  const root = looked.find((path) => existsSync(join(path, "tools/VERSION")));
  if (root === undefined) throw noSdk(looked, place.env.MODDABLE, DEVICE_SETUP[toolchain]);
  const version = readFileSync(join(root, "tools/VERSION"), "utf8").trim();
  if (isTooOld(version))
    throw wrongVersion(
      `the Moddable SDK in ${root} is ${version || "of no version"}, ${OLDEST.join(".")} or newer is needed`,
      `Update it: xs-dev update --release ${TESTED} (what this was built with).`,
    );
  const tools = join(root, "build/bin", HOSTS[place.platform] ?? place.platform, "release");
  if (!existsSync(join(tools, place.platform === "win32" ? "mcconfig.bat" : "mcconfig")))
    throw missing(
      `the Moddable SDK in ${root} is not built: there is no mcconfig in ${tools}`,
      "Build its tools: xs-dev setup; or make in $MODDABLE/build/makefiles/lin (mac, win).",
    );
  return { root, version, tools };
}

function noSdk(looked: readonly string[], pointed: string | undefined, device: string): BroomeError {
  const install = `Install it: npm install -g xs-dev, then xs-dev setup --release ${TESTED}${device}; then build again.`;
  const where = `there is no Moddable SDK in ${looked.join(", ")}`;
  if (!pointed) return missing(where, `${install} Or set MODDABLE to where it is.`);
  return missing(
    `${where}, where MODDABLE points`,
    `${install} Or set MODDABLE to where it is, or unset it: then the usual places are looked at.`,
  );
}

/** True for what no build can work with; also for what is no version. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return !(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]));
}

/** True for a version that the project was not built with. */
export function isUntested({ version }: Pick<Sdk, "version">): boolean {
  return version !== TESTED;
}

/** The variables by which make.esp.mk finds its tools, set or where `xs-dev` puts them: it looks nowhere else. */
export function esp8266Variables({ env, home }: Pick<Place, "env" | "home">): {
  ESP_BASE: string;
  ARDUINO_ROOT: string;
} {
  const base = env.ESP_BASE || join(home, ".local/share/esp");
  return { ESP_BASE: base, ARDUINO_ROOT: env.ARDUINO_ROOT || join(base, "esp8266-2.3.0") };
}

/** Where ESP-IDF may lie: $IDF_PATH, else where `xs-dev` puts it. */
export function idfFolder({ env, home }: Pick<Place, "env" | "home">): string {
  return env.IDF_PATH || join(home, ".local/share/esp32/esp-idf");
}

/** Throws `sdk-missing`, `sdk-version` where the chip's compiler and vendor libraries are not there. */
export function checkToolchain({ toolchain, chip }: SdkTarget, place: Place): void {
  if (toolchain === "esp-idf") checkIdf(chip, idfFolder(place));
  if (toolchain === "esp8266") checkEsp8266(esp8266Variables(place));
}

function checkIdf(chip: string, path: string): void {
  if (!existsSync(join(path, "tools/cmake/version.cmake")))
    throw missing(
      `there is no ESP-IDF in ${path}, which ${chip} needs`,
      `Install ESP-IDF ${IDF}: xs-dev setup --device esp32; then build again. Or set IDF_PATH to where it is.`,
    );
  const text = readFileSync(join(path, "tools/cmake/version.cmake"), "utf8");
  const part = (name: string) => new RegExp(`IDF_VERSION_${name}\\s+(\\d+)`).exec(text)?.[1] ?? "?";
  const version = `${part("MAJOR")}.${part("MINOR")}`;
  if (version !== IDF)
    throw wrongVersion(
      `ESP-IDF in ${path} is ${version}, the SDK wants ${IDF}`,
      `xs-dev update --device esp32 (from xs-dev 1.11 on), or: git -C ${path} checkout v${IDF} && git -C ${path} submodule update --init --recursive`,
    );
  if (!existsSync(join(path, ".git")))
    throw wrongVersion(
      `ESP-IDF in ${path} is no clone: the SDK's makefile asks git for its version, and would stop`,
      `Take a clone: git clone -b v${IDF} --recursive https://github.com/espressif/esp-idf, and set IDF_PATH to it.`,
    );
}

/** What make.esp.mk takes its compiler, its bootloader and its libraries from: paths that must be there. */
export function esp8266Needs({ ESP_BASE, ARDUINO_ROOT }: ReturnType<typeof esp8266Variables>): string[] {
  const bootloader = "ESP8266_RTOS_SDK/components/esp8266/firmware/boot_v1.7.bin";
  return [join(ESP_BASE, "toolchain"), join(ESP_BASE, bootloader), ARDUINO_ROOT];
}

function checkEsp8266(variables: ReturnType<typeof esp8266Variables>): void {
  const path = variables.ESP_BASE;
  const gone = esp8266Needs(variables).filter((each) => !existsSync(each));
  if (gone.length === 0) return;
  throw missing(
    `the ESP8266 toolchain in ${path} is missing or not whole: there is no ${gone.join(", no ")}`,
    "Install it: xs-dev setup --device esp8266; then build again. Or set ESP_BASE and ARDUINO_ROOT to where they are.",
  );
}

function missing(message: string, help: string): BroomeError {
  return new BroomeError("sdk-missing", message, help);
}

function wrongVersion(message: string, help: string): BroomeError {
  return new BroomeError("sdk-version", message, help);
}
