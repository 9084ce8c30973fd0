// Who a chip says it is: type and revision, features, crystal, MAC, read from its eFuse (esptool's targets/).

import type { Chip, FieldParts } from "../chips/chip.js";
import type { Loader } from "./loader.js";

export interface Identity {
  readonly chip: Chip;
  /** "ESP32-C3 (QFN32) (revision v0.4)" */
  readonly type: string;
  /** major * 100 + minor, as image headers count. */
  readonly revision: number;
  readonly features: readonly string[];
  readonly crystal: number; // MHz
  /** Six bytes. */
  readonly mac: Uint8Array;
}

export async function readIdentity(loader: Loader): Promise<Identity> {
  const { chip } = loader;
  const { rom } = chip;
  const words = new Map<number, number>();
  const field = async (parts: FieldParts): Promise<number> => {
    let value = 0;
    let filled = 0;
    for (const { address, shift, bits } of parts) {
      if (!words.has(address)) words.set(address, await loader.readRegister(address));
      value += ((words.get(address)! >>> shift) & (2 ** bits - 1)) * 2 ** filled;
      filled += bits;
    }
    return value;
  };
  const major = await field(rom.fields.majorRevision);
  const minor = await field(rom.fields.minorRevision);
  const capacity = rom.flashCapacities[await field(rom.fields.flashCapacity)];
  const vendor = rom.flashVendors[await field(rom.fields.flashVendor)] ?? "unknown maker";
  const name = rom.packages[await field(rom.fields.package)] ?? `unknown ${chip.family}`;
  return {
    chip,
    type: `${name} (revision v${major}.${minor})`,
    revision: major * 100 + minor,
    features:
      capacity === undefined ? rom.features : [...rom.features, `Embedded Flash ${capacity} (${vendor})`],
    crystal: rom.crystal,
    mac: await readMac(loader),
  };
}

async function readMac(loader: Loader): Promise<Uint8Array> {
  const [low, high] = loader.chip.rom.mac;
  const mac = new Uint8Array(8);
  const view = new DataView(mac.buffer);
  view.setUint32(0, await loader.readRegister(high));
  view.setUint32(4, await loader.readRegister(low));
  return mac.slice(2);
}

/** "02:00:00:00:00:01" */
export function macText(mac: Uint8Array): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Virtual boards have a locally administered address; no Espressif chip leaves the factory with one. */
export function isVirtual(mac: Uint8Array): boolean {
  return (mac[0]! & 0x02) !== 0;
}

/** The block that esptool prints when it has connected. */
export function identityText(identity: Identity): string {
  return [
    `Chip type:          ${identity.type}`,
    `Features:           ${identity.features.join(", ")}`,
    `Crystal frequency:  ${identity.crystal}MHz`,
    `MAC:                ${macText(identity.mac)}`,
  ].join("\n");
}
