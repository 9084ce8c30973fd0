// Who a chip says it is: type and revision, features, crystal, MAC, read from its eFuse (esptool's targets/).

import type { Chip, FieldParts, RomFacts } from "../chips/chip.js";
import { FlasherError } from "./error.js";
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
  const majorCode = await field(rom.fields.majorRevision);
  const major = rom.majorRevisions === undefined ? majorCode : (rom.majorRevisions[majorCode] ?? 0);
  const minor = await field(rom.fields.minorRevision);
  const name = packageName(chip, await field(rom.fields.package), major);
  const hasRevision = rom.fields.majorRevision.length > 0;
  return {
    chip,
    type: hasRevision ? `${name} (revision v${major}.${minor})` : name,
    revision: major * 100 + minor,
    features: [...(await featuresOf(rom, field)), ...(await embeddedFlash(rom, field))],
    crystal: await crystalOf(loader, field),
    mac: await macOf(rom, field),
  };
}

type ReadField = (parts: FieldParts) => Promise<number>;

function packageName({ rom, family }: Chip, code: number, major: number): string {
  const since = rom.packagesSince;
  const newer = since !== undefined && major >= since.major ? since.packages[code] : undefined;
  return newer ?? rom.packages[code] ?? `unknown ${family}`;
}

async function featuresOf({ features }: RomFacts, field: ReadField): Promise<string[]> {
  const texts: string[] = [];
  for (const feature of features) {
    const text = typeof feature === "string" ? feature : feature.texts[await field(feature.field)];
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

async function embeddedFlash(rom: RomFacts, field: ReadField): Promise<string[]> {
  const capacity = rom.flashCapacities[await field(rom.fields.flashCapacity)];
  if (capacity === undefined) return [];
  const vendor = rom.flashVendors[await field(rom.fields.flashVendor)];
  return [`Embedded Flash ${capacity}${vendor === undefined ? "" : ` (${vendor})`}`];
}

/** MHz. Where the chip does not fix it, what the UART's divider says at the rate at which we understand each other. */
async function crystalOf(loader: Loader, field: ReadField): Promise<number> {
  const { uartClock, crystal } = loader.chip.rom;
  if (uartClock === undefined) return crystal;
  const { baudRate } = loader.exchange.port;
  const measured = (baudRate * (await field([uartClock.divider]))) / uartClock.perCrystal / 1e6;
  return measured > 33 ? 40 : 26;
}

/** @throws FlasherError `mac-unknown` */
async function macOf({ mac, macVendor }: RomFacts, field: ReadField): Promise<Uint8Array> {
  const bytes = new Uint8Array(6);
  for (const [index, part] of mac.entries()) bytes[index] = await field([part]);
  if (macVendor === undefined || bytes.subarray(0, 3).some((byte) => byte !== 0)) return bytes;
  const code = await field(macVendor.field);
  const vendor = macVendor.vendors[code];
  if (vendor === undefined)
    throw new FlasherError(
      "mac-unknown",
      `the chip's MAC names its maker by code ${code}, which is unknown`,
      "Please report it, with the chip's marking.",
    );
  bytes.set(vendor);
  return bytes;
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
