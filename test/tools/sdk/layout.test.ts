// One layout: partitions.csv, the ESP8266's firmware and the manifest say what tools/chips says, and sdkconfig.defaults what the build
// insists on.

import test from "ava";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STORAGE_START, STORE_SIZE, STORE_START } from "../../../firmware/device/esp8266/store-region.js";
import { readManifest } from "../../../tools/build/manifest.js";
import { partitionsOf } from "../../../tools/build/tables.js";
import { chipByName } from "../../../tools/chips/registry.js";
import { STORAGE_START as LINKED_FOR } from "../../../tools/sdk/esp8266-storage.js";
import { checkGenerated, checkMerged, requiredSettings } from "../../../tools/sdk/sdkconfig.js";
import { sdkChips, sdkTarget } from "../../../tools/sdk/target.js";
import { root } from "../../support/run-verb.js";

const TYPES: Record<string, number> = { app: 0, data: 1 };
const SUBTYPES: Record<string, number> = { ota: 0, nvs: 2, ota_0: 0x10, ota_1: 0x11 };

/** ESP-IDF's format, "Partition Tables": name, type, subtype, offset, size. */
function rowsOf(csv: string) {
  return csv
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => line.split(",").map((cell) => cell.trim()))
    .map(([label, type, subtype, offset, size]) => ({
      ...{ label, type: TYPES[type!], subtype: SUBTYPES[subtype!] ?? Number(subtype) },
      ...{ offset: Number(offset), size: Number(size), flags: 0 },
    }));
}

for (const chip of ["esp32", "esp32c3"])
  test(`partitions.csv is the layout of the ${chip}`, (t) => {
    const rows = rowsOf(readFileSync(join(root, "partitions.csv"), "utf8"));
    t.deepEqual(rows as unknown, partitionsOf(chipByName(chip)) as unknown);
  });

test("an ESP8266's store lies where the layout has it, counted from where the build expects the SPIFFS area", (t) => {
  t.deepEqual({ offset: STORE_START, size: STORE_SIZE }, chipByName("esp8266").layout.broome);
  t.is(STORAGE_START, LINKED_FOR);
});

test("mcconfig alone reports the chip's name and the name of its layout", (t) => {
  for (const chip of sdkChips()) {
    const { config } = readManifest(root, sdkTarget(chip).platform, new Map());
    t.is(config.chip, chip);
    t.is(config.layout, chip === "lin" ? "lin" : chipByName(chip).layout.name);
  }
});

const defaults = readFileSync(join(root, "firmware/sdkconfig/sdkconfig.defaults"), "utf8");

test("sdkconfig.defaults sets what the build insists on, and nothing else", (t) => {
  const lines = defaults.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  t.deepEqual(
    lines,
    requiredSettings.map(([name, value]) => `${name}=${value}`),
  );
  t.notThrows(() => checkMerged(defaults, "sdkconfig.mc"));
});

test("a setting that was overruled or is missing is named", (t) => {
  const wrong = defaults.replace("ROLLBACK_ENABLE=y", "ROLLBACK_ENABLE=").replace("ALWAYS=n", "ALWAYS=y");
  const error = t.throws(() => checkMerged(wrong, "sdkconfig.mc"));
  t.is((error as { code?: string }).code, "sdk-config");
  t.regex(
    error.message,
    /SKIP_VALIDATE_ALWAYS is y, not n; CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is , not y/,
  );
});

test("what ESP-IDF generates has an option that is off not at all", (t) => {
  const header = requiredSettings
    .filter(([, value]) => value !== "n")
    .map(([name, value]) => `#define ${name} ${value === "y" ? "1" : value}`);
  t.notThrows(() => checkGenerated(header.join("\n"), "sdkconfig.h"));
  const off = [...header, "#define CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS 1"].join("\n");
  t.throws(() => checkGenerated(off, "sdkconfig.h"), { message: /SKIP_VALIDATE_ALWAYS is y, not n/ });
  t.throws(() => checkGenerated(header.slice(1).join("\n"), "sdkconfig.h"), {
    message: /ROLLBACK_ENABLE is not set/,
  });
});
