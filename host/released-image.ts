// What a released image must be: whole, blank of anybody's values, and the one that its manifest describes.

import { canonical, imageFacts } from "../firmware/format/canonical.js";
import { FormatError } from "../firmware/format/error.js";
import type { Crypto } from "../firmware/protocol/crypto.js";
import { equalBytes } from "../firmware/protocol/equal.js";
import type { Manifest } from "../firmware/protocol/update-manifest.js";

/**
 * Throws FormatError: `image-corrupt`, `image-truncated`, `defaults-missing`, `defaults-ambiguous`; `image-personalised`
 * where somebody's values are in it; `manifest-mismatch` where the manifest says other things.
 */
export function checkReleasedImage(image: Uint8Array, manifest: Manifest, crypto: Crypto): void {
  if (
    !equalBytes(
      canonical(image, () => crypto.createSha256()),
      image,
    )
  )
    throw new FormatError(
      "image-personalised",
      "the image holds somebody's values (or a block that is not the blank one)",
      "Publish the image as `broome build` made it, or blank it: broome patch --blank.",
    );
  const { version, sc, block } = imageFacts(image);
  const says: [what: string, manifest: unknown, image: unknown][] = [
    ["version", manifest.version, version],
    ["security counter", manifest.sc, sc],
    ["defaults block", String(manifest.block), String(block)],
  ];
  for (const [what, claimed, actual] of says)
    if (claimed !== actual)
      throw new FormatError(
        "manifest-mismatch",
        `the manifest says ${what} ${claimed}, the image ${actual}`,
        "Publish it again with `broome release publish`.",
      );
}
