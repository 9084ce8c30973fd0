// All checks of `broome doctor`, and which of them matter for what the user wants.

import { checkBluetooth } from "./bluetooth.js";
import { checkCompiler, checkNode } from "./computer.js";
import type { Finding } from "./finding.js";
import type { Probes } from "./probes.js";
import { sdkTarget, type SdkTarget } from "../sdk/target.js";
import { checkSdk, checkTypeScript } from "./sdk.js";
import { checkSerial } from "./serial.js";
import { checkEsp8266, checkIdf, checkLin } from "./toolchains.js";

export interface Wanted {
  /** A chip to build for with the SDK (or "lin", a Linux process as the board); without one, the SDK is only looked at. */
  readonly chip?: string;
  /** A serial port that is going to be used. */
  readonly port?: string;
  /** BLE on this computer is going to be used. */
  readonly bluetooth?: boolean;
}

/** Where no chip is named, ESP-IDF is looked at for this one. */
const USUAL = "esp32";

/** Throws `chip-unsupported` for a chip that a build with the SDK does not know. */
export async function examine(probes: Probes, { chip, port, bluetooth = false }: Wanted): Promise<Finding[]> {
  const sdk = chip !== undefined;
  const { toolchain } = sdkTarget(chip ?? USUAL);
  const wants = (one: SdkTarget["toolchain"]) => !sdk || toolchain === one;
  return [
    checkNode(probes),
    ...(await checkCompiler(probes)),
    ...(await checkSerial(probes, port)),
    ...checkSdk(probes, sdk),
    ...(await checkTypeScript(probes, sdk)),
    ...(wants("esp-idf") ? await checkIdf(probes, sdkTarget(chip ?? USUAL).compiler!, sdk) : []),
    ...(wants("esp8266") ? [checkEsp8266(probes, sdk)] : []),
    ...(wants("host") ? [await checkLin(probes, sdk)] : []),
    ...(await checkBluetooth(probes, bluetooth)),
  ];
}

/** What keeps the user from it: needed, and not in order. */
export function missing(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ ok, needed }) => needed && !ok);
}
