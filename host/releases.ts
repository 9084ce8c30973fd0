// Releases: what is taken in, which one fits a device, and how a trigger turns into an offer (PROTOCOL, 3).

import type { Crypto } from "../firmware/protocol/crypto.js";
import { encodeHex } from "../firmware/protocol/hex.js";
import { compareVersions, isVersion } from "../firmware/protocol/semver.js";
import { buildChunkList, parseManifest } from "../firmware/protocol/update-manifest.js";
import type { Manifest, SignedManifest } from "../firmware/protocol/update-manifest.js";
import { equalBytes } from "../firmware/protocol/equal.js";
import { HostError, notFound } from "./error.js";
import type { Files } from "./files.js";
import { checkReleasedImage } from "./released-image.js";
import type { Device, Release, Store } from "./store/store.js";

export interface ReleaseOptions {
  store: Store;
  files: Files;
  crypto: Crypto;
  now: () => number;
}

/** A release as it is uploaded. */
export interface Upload {
  image: Uint8Array;
  list: Uint8Array;
  manifest: Uint8Array;
}

function refuse(code: string, message: string): HostError {
  return new HostError(422, code, message, "Publish it again with `broome release publish`.");
}

export class ReleaseService {
  readonly #options: ReleaseOptions;

  constructor(options: ReleaseOptions) {
    this.#options = options;
  }

  /**
   * Checks an upload as a device would, but for the signature's key, which only devices know; then keeps it. Throws
   * HostError `image-personalised`, `image-corrupt`, `manifest-mismatch`, `release-exists`.
   */
  async add(upload: Upload): Promise<Release> {
    const { store, files, crypto, now } = this.#options;
    const signed = parseManifest(upload.manifest);
    this.#compare(signed, upload);
    checkReleasedImage(upload.image, signed.manifest, crypto);
    const release = this.#row(signed, encodeHex(crypto.sha256(upload.manifest)), now());
    const existing = (await store.listReleases()).find(
      (other) => !other.withdrawn && other.version === release.version && isSameKind(other, release),
    );
    if (existing) throw this.#exists(release);
    await files.put(upload.image, "bin");
    await files.put(upload.list, "list");
    await files.put(upload.manifest, "jws");
    if (!(await store.addRelease(release))) throw this.#exists(release);
    return release;
  }

  #exists({ product, chip, version }: Release): HostError {
    return new HostError(
      409,
      "release-exists",
      `${product} ${version} for ${chip} is released already`,
      "Raise the version, or withdraw the release first: broome release withdraw.",
    );
  }

  #compare({ manifest }: SignedManifest, { image, list }: Upload): void {
    const { crypto } = this.#options;
    if (image.length !== manifest.size || encodeHex(crypto.sha256(image)) !== manifest.sha256)
      throw refuse("manifest-mismatch", "the image is not the one that the manifest names");
    if (encodeHex(crypto.sha256(list)) !== manifest.list)
      throw refuse("manifest-mismatch", "the chunk list is not the one that the manifest names");
    const computed = buildChunkList(image, () => crypto.createSha256());
    if (!equalBytes(list, computed)) throw refuse("manifest-mismatch", "the chunk list is not the image's");
  }

  #row({ manifest: m, signatures }: SignedManifest, manifest: string, created: number): Release {
    const { product, chip, layout, version, sc, min, size, sha256, list } = m satisfies Manifest;
    const { kid } = signatures[0]!;
    return {
      manifest,
      product,
      chip,
      layout,
      version,
      sc,
      min,
      size,
      sha256,
      list,
      kid,
      created,
      withdrawn: false,
    };
  }

  /** The newest release above the device's version that it can take. */
  async newestFor(device: Device): Promise<Release | undefined> {
    const fitting = (await this.#for(device)).filter(
      (release) => compareVersions(release.version, device.version) > 0,
    );
    return fitting.sort((a, b) => compareVersions(b.version, a.version))[0];
  }

  /** Releases of the device's kind that its running version may take. */
  async #for(device: Device): Promise<Release[]> {
    if (!isVersion(device.version)) return [];
    return (await this.#options.store.listReleases()).filter(
      (release) =>
        !release.withdrawn &&
        isSameKind(release, { ...device, layout: device.layout || release.layout }) &&
        compareVersions(device.version, release.min) >= 0,
    );
  }

  /**
   * The release that a trigger asks for: `1` the newest above the running one (undefined where there is none), else the
   * version named. Throws HostError `release-unknown`, and `release-not-newer` unless `down`.
   */
  async wanted(device: Device, value: string, down: boolean): Promise<Release | undefined> {
    if (value === "1") return this.newestFor(device);
    const release = (await this.#for(device)).find(({ version }) => version === value);
    if (!release)
      throw new HostError(
        404,
        "release-unknown",
        `no release ${value} fits ${device.name || device.deviceid} (${device.product} ${device.version}, ${device.chip})`,
        "See: broome release list",
      );
    if (!down && compareVersions(release.version, device.version) <= 0)
      throw new HostError(
        409,
        "release-not-newer",
        `${release.version} is not above ${device.version}, which runs`,
        "A lower version needs: broome ota trigger DEVICE --version V --down",
      );
    return release;
  }

  /** By manifest hash, or by version where that names one. */
  async find(name: string): Promise<Release> {
    const all = await this.#options.store.listReleases();
    const found = all.filter(
      ({ manifest, version, withdrawn }) => manifest === name || (version === name && !withdrawn),
    );
    if (found.length === 0) throw notFound(`release ${name}`);
    if (found.length > 1)
      throw new HostError(
        409,
        "release-ambiguous",
        `${name} names ${found.length} releases`,
        "Give the manifest's hash.",
      );
    return found[0]!;
  }
}

function isSameKind(a: Pick<Release, "product" | "chip" | "layout">, b: typeof a): boolean {
  return a.product === b.product && a.chip === b.chip && a.layout === b.layout;
}
