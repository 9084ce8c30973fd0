// A small image as the builder makes them, for tests of whatever reads or changes images.

import { createHash } from "node:crypto";
import { encodeAppDescriptor, type AppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { blankDefaults } from "../../../firmware/format/defaults-block.js";
import type { Sha256 } from "../../../firmware/format/hash.js";
import { buildImage } from "../../../firmware/format/image.js";
import { seededRandom } from "../../support/random.js";

export const sha256: Sha256 = () => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
};

export const testDescriptor: AppDescriptor = {
  secureVersion: 1,
  version: "1.0.0",
  project: "broome-virtual",
  time: "00:00:00",
  date: "Jan  1 2026",
  idf: "xs-13.3.0",
  elfSha256: new Uint8Array(32),
};

/** App descriptor, 1,500 seeded bytes, the block, 300 more; a code segment. `block` defaults to a blank defaults block. */
export function testImage(options: { block?: Uint8Array; chipId?: number } = {}): Uint8Array {
  const random = seededRandom(42);
  const parts = [
    encodeAppDescriptor(testDescriptor),
    random.bytes(1500),
    options.block ?? blankDefaults(),
    random.bytes(300),
  ];
  return buildImage(
    {
      chipId: options.chipId ?? 5,
      entry: 0x40380000,
      flashMode: 2,
      flashSize: 2,
      flashFrequency: 15,
      minRevision: 3,
      maxRevision: 199,
      segments: [
        { loadAddress: 0x3c000020, data: new Uint8Array(Buffer.concat(parts)) },
        { loadAddress: 0x40380000, data: Uint8Array.of(0x73, 0, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff) },
      ],
    },
    sha256,
  );
}
