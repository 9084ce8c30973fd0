// Installs an update (PROTOCOL section 3): manifest, checks, list, chunks, read back, select, restart.

import type { Flash, OpenFlash, Slots, System } from "../device/types.js";
import { parseAppDescriptor, APP_DESCRIPTOR_OFFSET, APP_DESCRIPTOR_SIZE } from "../format/app-descriptor.js";
import { parseImage } from "../format/image.js";
import { LinkError } from "../link/error.js";
import type { HttpClient } from "../link/http.js";
import type { Crypto } from "../protocol/crypto.js";
import { equalBytes } from "../protocol/equal.js";
import { encodeHex } from "../protocol/hex.js";
import type { Offer } from "../protocol/sync-message.js";
import { checkUpdate, slotBytes } from "../protocol/update-checks.js";
import { CHUNK_DIGEST, CHUNK_SIZE, chunkCount, MAX_MANIFEST } from "../protocol/update-manifest.js";
import type { Manifest, UpdateKey } from "../protocol/update-manifest.js";
import { getCount } from "../store/json-record.js";
import { MINIMUM_SC } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import { restartFor } from "../telemetry/causes.js";
import { loadMemory, saveMemory, shortHash } from "./memory.js";
import type { OtaStatus } from "./status.js";

/** What this image is: `mc/config`. */
export interface ImageConfig {
  product: string;
  version: string;
  chip: string;
  layout: string;
  sc: number;
  updateKeys: readonly UpdateKey[];
}

export interface UpdaterOptions {
  crypto: Crypto;
  flash: OpenFlash;
  slots: Slots | undefined;
  system: System;
  store: LogStore;
  config: ImageConfig;
  status: OtaStatus;
  /** Called between chunks: the place to send what waits. */
  breathe(): Promise<void>;
}

/** The update is not to be had, or not to be taken: it is over. A LinkError instead means: later again. */
export class UpdateError extends Error {
  // A field, because Error.prototype is frozen on a device: `this.name =` throws there.
  override readonly name = "UpdateError";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Bytes read from flash at a time: what a chunk costs in RAM. */
const PIECE = 512;
const TRIES = 3;

export class Updater {
  private readonly options: UpdaterOptions;

  constructor(options: UpdaterOptions) {
    this.options = options;
  }

  /**
   * Installs what the offer names and restarts into it: returns only by throwing.
   *
   * @throws UpdateError when it is over; LinkError when the network was not up to it, and the same call may follow later: what
   * is in flash by then is not fetched again.
   */
  async install(offer: Offer, http: HttpClient): Promise<never> {
    const { status, store, slots, system, flash } = this.options;
    status.set("offered", { version: offer.v });
    const manifest = await this.fetchManifest(offer, http);
    const other = flash("other");
    saveMemory(store, {
      ...loadMemory(store),
      s: "installing",
      o: offer,
      h: shortHash(manifest.sha256),
      r: "",
      n: 0,
    });
    slots!.invalidateOther(); // from here on nothing can boot what is about to be overwritten
    const listAt = other.size - (slotBytes(manifest.size) - chunkCount(manifest.size) * CHUNK_SIZE);
    await this.fetchList(manifest, other, listAt, http);
    await this.fetchChunks(manifest, other, listAt, http);
    status.set("verifying", { percent: 100, version: manifest.version });
    this.verify(manifest, other);
    status.set("restarting", { percent: 100, version: manifest.version });
    await this.options.breathe();
    saveMemory(store, { ...loadMemory(store), s: "selected" });
    slots!.selectOther();
    return restartFor(store, system, "ota", `to ${manifest.version}`);
  }

  private async fetchManifest(offer: Offer, http: HttpClient): Promise<Manifest> {
    const { crypto, config, slots, store } = this.options;
    const other = slots?.other();
    if (!other) throw new UpdateError("not-available");
    if (config.updateKeys.length === 0) throw new UpdateError("updates-off");
    const file = await this.get(http, `/fw/${offer.m}.jws`, MAX_MANIFEST);
    const { f } = loadMemory(store);
    const { manifest, refusal } = checkUpdate(crypto, file, {
      offer,
      product: config.product,
      chip: config.chip,
      layout: config.layout,
      version: config.version,
      sc: config.sc,
      minimumSc: getCount(store, MINIMUM_SC),
      slotSize: other.size,
      keys: config.updateKeys,
      failed: (sha256) => f.includes(shortHash(sha256)),
    });
    if (!manifest) throw new UpdateError(refusal);
    return manifest;
  }

  private async get(http: HttpClient, path: string, maxBody: number): Promise<Uint8Array> {
    const { status, body } = await http.request({
      method: "GET",
      path,
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBody,
    });
    checkStatus(status, 200);
    return body;
  }

  /** The list lies in the slot's last sectors, behind the image: 16 bytes of it in RAM at a time. */
  private async fetchList(manifest: Manifest, other: Flash, listAt: number, http: HttpClient): Promise<void> {
    const length = chunkCount(manifest.size) * CHUNK_DIGEST;
    for (let tries = 0; tries <= TRIES; tries += 1) {
      if (encodeHex(this.hashOf(other, listAt, length)) === manifest.list) return;
      if (tries === TRIES) break;
      for (let at = listAt; at < other.size; at += CHUNK_SIZE) other.eraseSector(at / CHUNK_SIZE);
      let at = listAt;
      const { status } = await http.request({
        method: "GET",
        path: `/fw/${manifest.list}.list`,
        timeoutMs: REQUEST_TIMEOUT_MS,
        maxBody: length,
        keepAlive: true,
        onBody: (bytes) => {
          other.write(at, bytes);
          at += bytes.length;
        },
      });
      checkStatus(status, 200);
    }
    throw new UpdateError("list-mismatch");
  }

  private async fetchChunks(
    manifest: Manifest,
    other: Flash,
    listAt: number,
    http: HttpClient,
  ): Promise<void> {
    const { status, system, breathe } = this.options;
    const count = chunkCount(manifest.size);
    status.set("downloading", { percent: 0, version: manifest.version });
    let shown = 0;
    let shown25 = 0; // on the pin, whose history should stay short
    for (let chunk = 0; chunk < count; chunk += 1) {
      await this.fetchChunk(manifest, other, listAt, chunk, http);
      system.feedWatchdog();
      const percent = Math.floor(((chunk + 1) * 100) / count);
      if (percent < shown + 5 || percent === 100) continue;
      shown = percent;
      if (percent < shown25 + 25) status.progress("downloading", percent);
      else {
        shown25 = percent;
        status.set("downloading", { percent, version: manifest.version });
      }
      await breathe();
    }
  }

  /**
   * One chunk, fetched unless flash holds it already: that is how a download goes on after a restart.
   *
   * A chunk is as large as an eighth of the memory that there is, so it is written as it comes, into a sector erased for it,
   * and counts only when the hash of all of it is the list's; a wrong one is erased again. That is as safe as hashing it in
   * RAM before: the slot cannot be booted until all chunks count and the whole was read back.
   */
  private async fetchChunk(
    manifest: Manifest,
    other: Flash,
    listAt: number,
    chunk: number,
    http: HttpClient,
  ): Promise<void> {
    const first = chunk * CHUNK_SIZE;
    const length = Math.min(CHUNK_SIZE, manifest.size - first);
    const entry = other.read(listAt + chunk * CHUNK_DIGEST, CHUNK_DIGEST);
    if (isEntry(entry, this.hashOf(other, first, length))) return;
    for (let tries = 0; tries < TRIES; tries += 1) {
      other.eraseSector(chunk);
      const hash = this.options.crypto.createSha256();
      let at = first;
      const { status } = await http.request({
        method: "GET",
        path: `/fw/${manifest.sha256}.bin`,
        timeoutMs: REQUEST_TIMEOUT_MS,
        maxBody: length,
        range: { first, length, total: manifest.size },
        keepAlive: true,
        onBody: (bytes) => {
          hash.update(bytes);
          other.write(at, bytes);
          at += bytes.length;
        },
      });
      const digest = hash.digest();
      checkStatus(status, 206);
      if (isEntry(entry, digest)) return;
    }
    other.eraseSector(chunk);
    throw new UpdateError("chunk-mismatch");
  }

  /** SHA-256 of what flash really holds, then header and descriptor. `selectOther` verifies as the bootloader will. */
  private verify(manifest: Manifest, other: Flash): void {
    if (encodeHex(this.hashOf(other, 0, manifest.size)) !== manifest.sha256)
      throw new UpdateError("image-mismatch");
    const { version, secureVersion } = descriptorOf(other, manifest.size);
    if (version !== manifest.version || secureVersion !== manifest.sc)
      throw new UpdateError("image-mismatch");
  }

  private hashOf(flash: Flash, offset: number, length: number): Uint8Array {
    const hash = this.options.crypto.createSha256();
    for (let at = 0; at < length; at += PIECE) {
      hash.update(flash.read(offset + at, Math.min(PIECE, length - at)));
      if (at % 0x10000 === 0) this.options.system.feedWatchdog();
    }
    return hash.digest();
  }
}

function descriptorOf(flash: Flash, size: number): { version: string; secureVersion: number } {
  try {
    parseImage((offset, length) => flash.read(offset, length), size);
    return parseAppDescriptor(flash.read(APP_DESCRIPTOR_OFFSET, APP_DESCRIPTOR_SIZE));
  } catch {
    throw new UpdateError("image-mismatch");
  }
}

function isEntry(entry: Uint8Array, digest: Uint8Array): boolean {
  return equalBytes(entry, digest.subarray(0, CHUNK_DIGEST));
}

/** Nobody signed a status: it can be a captive portal's. Only waiting follows from it, never the end of the update. */
function checkStatus(status: number, wanted: number): void {
  if (status !== wanted) throw new LinkError("malformed", `answer ${status}, expected ${wanted}`);
}
