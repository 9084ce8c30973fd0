// What `--sdk` can build for: a chip's platform in mcconfig's words, and what its toolchain is. Data, as tools/chips.

import { BroomeError } from "../error.js";

export interface SdkTarget {
  readonly chip: string;
  /** mcconfig's `-p`. */
  readonly platform: string;
  readonly toolchain: "host" | "esp8266" | "esp-idf";
  /** The SDK (8.2.3) can put an image into another slot and start it: else `ota-not-supported`. */
  readonly ota: boolean;
  /** ESP-IDF's name of the chip, in the names of its folders, and its compiler. */
  readonly subclass?: string;
  readonly compiler?: string;
}

const targets: readonly SdkTarget[] = [
  {
    ...{ chip: "esp32", platform: "esp32", toolchain: "esp-idf", ota: true },
    ...{ subclass: "esp32", compiler: "xtensa-esp32-elf-gcc" },
  },
  {
    ...{ chip: "esp32c3", platform: "esp32/esp32c3", toolchain: "esp-idf", ota: true },
    ...{ subclass: "esp32c3", compiler: "riscv32-esp-elf-gcc" },
  },
  // SDK 10.0.2 has updates on the ESP8266 (two slots of 1 MB): their place is `ota` here and slots.ts of its platform folder.
  { chip: "esp8266", platform: "esp", toolchain: "esp8266", ota: false },
  { chip: "lin", platform: "lin", toolchain: "host", ota: false },
];

export function sdkChips(): string[] {
  return targets.map(({ chip }) => chip);
}

/** Throws `chip-unsupported`. */
export function sdkTarget(name: string): SdkTarget {
  const wanted = name.toLowerCase().replaceAll("-", "");
  const target = targets.find(({ chip }) => chip === wanted);
  if (target) return target;
  throw new BroomeError(
    "chip-unsupported",
    `--sdk cannot build for "${name}"`,
    `With the Moddable SDK: ${sdkChips().join(", ")}.`,
  );
}
