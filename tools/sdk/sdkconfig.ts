// The ESP-IDF settings that a board needs in order to survive a bad update (DESIGN.md, decision 9), and whether a build has them.

import { BroomeError } from "../error.js";

/** As firmware/sdkconfig/sdkconfig.defaults writes them; a test compares. */
export const requiredSettings: readonly (readonly [name: string, value: string])[] = [
  ["CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS", "n"],
  ["CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON", "n"],
  ["CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP", "n"],
  ["CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE", "y"],
  ["CONFIG_PARTITION_TABLE_MD5", "y"],
  ["CONFIG_ESP_INT_WDT", "y"],
  ["CONFIG_ESP_TASK_WDT_EN", "y"],
  ["CONFIG_ESP_TASK_WDT_INIT", "y"],
  ["CONFIG_ESP_TASK_WDT_PANIC", "y"],
  ["CONFIG_ESP_TASK_WDT_TIMEOUT_S", "10"],
];

/** `text` is sdkconfig.mc, what mcconfig merged. Throws `sdk-config`. */
export function checkMerged(text: string, file: string): void {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf("=");
    if (!line.startsWith("#") && at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  check((name) => values.get(name), file);
}

/** `text` is sdkconfig.h, what ESP-IDF made of it: an option that is off is not in it. Throws `sdk-config`. */
export function checkGenerated(text: string, file: string): void {
  const values = new Map(
    [...text.matchAll(/^#define (CONFIG_\w+) (\S+)$/gm)].map(([, name, value]) => [name!, value!]),
  );
  check(
    (name) => (values.get(name) === "1" && name !== "CONFIG_ESP_TASK_WDT_TIMEOUT_S" ? "y" : values.get(name)),
    file,
  );
}

function check(valueOf: (name: string) => string | undefined, file: string): void {
  const wrong = requiredSettings.filter(([name, wanted]) => {
    const value = valueOf(name);
    return wanted === "n" ? value !== undefined && value !== "" && value !== "n" : value !== wanted;
  });
  if (wrong.length === 0) return;
  const list = wrong.map(([name, wanted]) => `${name} is ${valueOf(name) ?? "not set"}, not ${wanted}`);
  throw new BroomeError(
    "sdk-config",
    `${file}: ${list.join("; ")}`,
    "manifest.json's SDKCONFIGPATH must lead to firmware/sdkconfig, and nothing may overrule it.",
  );
}
