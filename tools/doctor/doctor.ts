// All checks of `broome doctor`, and which of them matter for what the user wants.

import { checkBluetooth } from "./bluetooth.js";
import { checkCompiler, checkNode } from "./computer.js";
import type { Finding } from "./finding.js";
import type { Probes } from "./probes.js";
import { checkEsp8266, checkIdf, checkSdk, checkTypeScript } from "./sdk.js";
import { checkSerial } from "./serial.js";

export interface Wanted {
  /** A chip to build for with the SDK (or "lin", the SDK's simulator); without one, the SDK is only looked at. */
  readonly chip?: string;
  /** A serial port that is going to be used. */
  readonly port?: string;
  /** BLE on this computer is going to be used. */
  readonly bluetooth?: boolean;
}

/** The compiler of ESP-IDF for a chip; chips that are not here are built otherwise. */
const IDF_COMPILERS: Readonly<Record<string, string>> = {
  esp32: "xtensa-esp32-elf-gcc",
  esp32s3: "xtensa-esp32s3-elf-gcc",
  esp32c3: "riscv32-esp-elf-gcc",
  esp32c6: "riscv32-esp-elf-gcc",
};

/** What `chip` may be. */
export const doctorChips: readonly string[] = [...Object.keys(IDF_COMPILERS), "esp8266", "lin"];

export async function examine(probes: Probes, { chip, port, bluetooth = false }: Wanted): Promise<Finding[]> {
  const sdk = chip !== undefined;
  const idf = sdk && chip in IDF_COMPILERS;
  return [
    checkNode(probes),
    ...(await checkCompiler(probes)),
    ...(await checkSerial(probes, port)),
    ...checkSdk(probes, sdk),
    await checkTypeScript(probes, sdk),
    ...(idf || !sdk
      ? await checkIdf(probes, IDF_COMPILERS[chip ?? "esp32"] ?? IDF_COMPILERS.esp32!, idf)
      : []),
    ...(chip === "esp8266" || !sdk ? [checkEsp8266(probes, chip === "esp8266")] : []),
    ...(await checkBluetooth(probes, bluetooth)),
  ];
}

/** What keeps the user from it: needed, and not in order. */
export function missing(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ ok, needed }) => needed && !ok);
}
