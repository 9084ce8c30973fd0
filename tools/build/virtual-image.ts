// The image of a virtual chip: app descriptor and XSA archive in one read-only segment, and code that waits for ever.

import { createHash } from "node:crypto";
import { APP_DESCRIPTOR_SIZE, encodeAppDescriptor } from "../../firmware/format/app-descriptor.js";
import { findDefaults, readDefaults } from "../../firmware/format/defaults-block.js";
import type { Hash, Sha256 } from "../../firmware/format/hash.js";
import { buildImage, verifyImageFile } from "../../firmware/format/image.js";
import type { Chip } from "../chips/chip.js";
import { BroomeError } from "../error.js";

/** Virtual images bear this project name; `flash` writes them to virtual boards only. */
export const VIRTUAL_PROJECT = "broome-virtual";

const SECTOR_SIZE = 4096;
const CHUNK_HASH_SIZE = 16; // bytes a chunk in an update's list (PROTOCOL section 3)

export interface ImageIdentity {
  readonly version: string;
  readonly securityCounter: number;
  /** Of the engine: "xs-13.3.0". */
  readonly framework: string;
  readonly builtAt: Date;
}

export const sha256: Sha256 = (): Hash => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
};

/**
 * The image, verified as the bootloader will, with one blank defaults block.
 * Throws `app-too-big`, `defaults-missing`, `defaults-ambiguous`, `value-too-long` (version over 31 bytes).
 */
export function makeVirtualImage(chip: Chip, archive: Uint8Array, identity: ImageIdentity): Uint8Array {
  const { time, date } = compileTime(identity.builtAt);
  const descriptor = encodeAppDescriptor({
    secureVersion: identity.securityCounter,
    version: identity.version,
    project: VIRTUAL_PROJECT,
    time,
    date,
    idf: identity.framework,
    elfSha256: createHash("sha256").update(archive).digest(), // names the build, as the ELF's hash does
  });
  const data = new Uint8Array(APP_DESCRIPTOR_SIZE + archive.length);
  data.set(descriptor);
  data.set(archive, APP_DESCRIPTOR_SIZE);
  const { dataAddress, codeAddress, idleCode, ...header } = chip.image;
  const image = buildImage(
    {
      ...header,
      entry: codeAddress,
      segments: [
        { loadAddress: dataAddress, data },
        { loadAddress: codeAddress, data: Uint8Array.from(idleCode) },
      ],
    },
    sha256,
  );
  check(chip, image);
  return image;
}

/** Bytes of a slot that an update to an image of `size` bytes takes: the image, and its list in the last sectors. */
export function slotBytes(size: number): number {
  const sectors = Math.ceil(size / SECTOR_SIZE);
  return (sectors + Math.ceil((sectors * CHUNK_HASH_SIZE) / SECTOR_SIZE)) * SECTOR_SIZE;
}

function check(chip: Chip, image: Uint8Array): void {
  const { size } = verifyImageFile(image, sha256);
  const slot = Math.min(chip.layout.ota_0.size, chip.layout.ota_1.size);
  if (slotBytes(size) > slot)
    throw new BroomeError(
      "app-too-big",
      `the image takes ${size} bytes and ${slotBytes(size)} of a slot with its update list; a slot of ${chip.name} has ${slot}`,
      "Take modules or resources out of the firmware.",
    );
  const { offset } = findDefaults(image);
  if (readDefaults(image.subarray(offset)) !== undefined)
    throw new BroomeError(
      "image-personalised",
      "firmware/resources/defaults.bin is not blank",
      "Take the file of the repository: values go in with `broome patch`, after the build.",
    );
}

/** As the C compiler's __TIME__ and __DATE__, in UTC. */
function compileTime(at: Date): { time: string; date: string } {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) ([\d:]+) GMT/.exec(at.toUTCString())!;
  return { time: time!, date: `${month} ${String(Number(day)).padStart(2)} ${year}` };
}
