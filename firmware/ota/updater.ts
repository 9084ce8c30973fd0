// Installs an update (PROTOCOL section 3): manifest, checks, list, chunks, read back, select, restart.

import type { Flash } from "../device/types.js";
import { parseAppDescriptor, APP_DESCRIPTOR_SIZE } from "../format/app-descriptor.js";
import { parseImage } from "../format/image.js";
import { LinkError } from "../link/error.js";
import type { HttpClient, HttpRequest, HttpResponse } from "../link/http.js";
import { equalBytes } from "../protocol/equal.js";
import { encodeHex } from "../protocol/hex.js";
import type { Offer } from "../protocol/sync-message.js";
import { checkUpdate, slotBytes } from "../protocol/update-checks.js";
import { CHUNK_DIGEST, CHUNK_SIZE, chunkCount, MAX_MANIFEST } from "../protocol/update-manifest.js";
import type { Manifest } from "../protocol/update-manifest.js";
import { getCount } from "../store/json-record.js";
import { MINIMUM_SC } from "../store/keys.js";
import type { Base } from "../store/base.js";
import { restartFor } from "../telemetry/causes.js";
import { loadMemory, saveMemory, shortHash } from "./memory.js";
import type { OtaStatus } from "./status.js";

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
/** How often progress is said on the UART, and on the pin, whose history should stay short. */
const SHOWN_PERCENT = 5;
const PIN_PERCENT = 25;

export interface UpdateListener {
  /** A step is over: the next one may follow. With an error see `Updater.step`. */
  onUpdateStep(error: unknown): void;
}

type Stage = "manifest" | "list" | "chunks" | "verify" | "select";

/** One update, step by step; between two steps its owner may talk to the server. */
export class Updater {
  private readonly base: Base;
  private readonly status: OtaStatus;
  private readonly offer: Offer;
  private readonly listener: UpdateListener;
  private stage: Stage = "manifest";
  private manifest: Manifest | undefined;
  private other: Flash | undefined;
  private listAt = 0; // in the slot
  private chunk = 0;
  private shown = 0; // percent
  private at = 0; // where the next byte received goes

  constructor(base: Base, status: OtaStatus, offer: Offer, listener: UpdateListener) {
    this.base = base;
    this.status = status;
    this.offer = offer;
    this.listener = listener;
    status.set("offered", { version: offer.v });
  }

  /**
   * Fetches one thing, or does one piece of work; the last step restarts. The listener gets an UpdateError when the update is
   * over; a LinkError when the network was not up to it, and the same step may be tried again later. In flash nothing is lost: a
   * new Updater, after a restart too, finds what is there already.
   */
  async step(http: HttpClient): Promise<void> {
    await undefined; // an empty stack
    let failure: unknown;
    try {
      const request = this.next();
      if (request) this.take(await http.request(request));
    } catch (error) {
      failure = error;
    }
    this.base.device.system.feedWatchdog();
    this.listener.onUpdateStep(failure);
  }

  private next(): HttpRequest | undefined {
    if (this.stage === "manifest") return this.askManifest();
    if (this.stage === "list") return this.askList(this.manifest!, this.other!);
    if (this.stage === "chunks") return this.askChunk(this.manifest!, this.other!);
    if (this.stage === "verify") this.verify(this.manifest!, this.other!);
    else this.select(this.manifest!);
    return undefined;
  }

  /**
   * Nobody signed an answer: it can be a captive portal's. Only waiting follows from a wrong one, never the end of the update;
   * that takes what the maker signed.
   */
  private take({ status, body }: HttpResponse): void {
    const { stage, manifest, other } = this;
    const wanted = stage === "chunks" ? 206 : 200;
    if (status !== wanted) throw new LinkError("malformed", `answer ${status}, expected ${wanted}`);
    let right: boolean;
    if (stage === "manifest") right = this.takeManifest(body);
    else if (stage === "list") right = this.findList(manifest!, other!);
    else right = this.findChunk(manifest!, other!);
    if (!right) throw new LinkError("malformed", `the answer is another ${stage} than was meant`);
  }

  private askManifest(): HttpRequest {
    const { device, config } = this.base;
    if (!device.slots) throw new UpdateError("ota-not-supported");
    if (!device.slots.other()) throw new UpdateError("not-available");
    if (config.updateKeys.length === 0) throw new UpdateError("updates-off");
    return {
      method: "GET",
      path: `/fw/${this.offer.m}.jws`,
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBody: MAX_MANIFEST,
    };
  }

  /** False where it is not the file that was offered. */
  private takeManifest(file: Uint8Array): boolean {
    const { device, config, store } = this.base;
    const memory = loadMemory(store);
    const { manifest, refusal } = checkUpdate(device.crypto, file, {
      offer: this.offer,
      product: config.product,
      chip: config.chip,
      layout: config.layout,
      version: config.version,
      sc: config.sc,
      minimumSc: getCount(store, MINIMUM_SC),
      slotSize: device.slots!.other()!.size,
      keys: config.updateKeys,
      failed: (sha256) => memory.f.includes(shortHash(sha256)),
    });
    if (refusal === "digest-mismatch") return false;
    if (!manifest) throw new UpdateError(refusal);
    saveMemory(store, { ...memory, h: shortHash(manifest.sha256) });
    device.slots!.invalidateOther(); // from here on nothing can boot what is about to be overwritten
    this.manifest = manifest;
    this.other = device.flash("other");
    this.listAt = this.other.size - (slotBytes(manifest.size) - chunkCount(manifest.size) * CHUNK_SIZE);
    this.stage = "list";
    return true;
  }

  /** The list lies in the slot's last sectors, behind the image: 16 bytes of it in RAM at a time. */
  private askList(manifest: Manifest, other: Flash): HttpRequest | undefined {
    if (this.findList(manifest, other)) return undefined;
    for (let at = this.listAt; at < other.size; at += CHUNK_SIZE) other.eraseSector(at / CHUNK_SIZE);
    this.at = this.listAt;
    return {
      method: "GET",
      path: `/fw/${manifest.list}.list`,
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBody: chunkCount(manifest.size) * CHUNK_DIGEST,
      keepAlive: true,
      onBody: (bytes) => this.write(bytes),
    };
  }

  /** Goes on to the chunks if flash holds the list that the manifest names. */
  private findList(manifest: Manifest, other: Flash): boolean {
    const digest = this.hashOf(other, this.listAt, chunkCount(manifest.size) * CHUNK_DIGEST);
    if (encodeHex(digest) !== manifest.list) return false;
    this.stage = "chunks";
    this.status.set("downloading", { percent: 0, version: manifest.version });
    return true;
  }

  /**
   * One chunk, fetched unless flash holds it already: that is how a download goes on after a restart.
   *
   * A chunk is as large as an eighth of the memory that there is, so it is written as it comes, into a sector erased for it,
   * and counts only when the hash of what flash then holds is the list's. That is as safe as hashing it in RAM before: the slot
   * cannot be booted until all chunks count and the whole was read back.
   */
  private askChunk(manifest: Manifest, other: Flash): HttpRequest | undefined {
    if (this.findChunk(manifest, other)) return undefined;
    const first = (this.at = this.chunk * CHUNK_SIZE);
    const length = chunkLength(manifest, this.chunk);
    other.eraseSector(this.chunk);
    return {
      method: "GET",
      path: `/fw/${manifest.sha256}.bin`,
      timeoutMs: REQUEST_TIMEOUT_MS,
      maxBody: length,
      range: { first, length, total: manifest.size },
      keepAlive: true,
      onBody: (bytes) => this.write(bytes),
    };
  }

  /** Goes on to the next chunk if flash holds this one. */
  private findChunk(manifest: Manifest, other: Flash): boolean {
    const entry = other.read(this.listAt + this.chunk * CHUNK_DIGEST, CHUNK_DIGEST);
    const digest = this.hashOf(other, this.chunk * CHUNK_SIZE, chunkLength(manifest, this.chunk));
    if (!equalBytes(entry, digest.subarray(0, CHUNK_DIGEST))) return false;
    this.advance(manifest);
    return true;
  }

  private write(bytes: Uint8Array): void {
    this.other!.write(this.at, bytes);
    this.at += bytes.length;
  }

  private advance(manifest: Manifest): void {
    const { status } = this;
    const count = chunkCount(manifest.size);
    const { version } = manifest;
    this.chunk += 1;
    if (this.chunk === count) {
      this.stage = "verify";
      status.set("verifying", { percent: 100, version });
      return;
    }
    const percent = Math.floor((this.chunk * 100) / count);
    if (Math.floor(percent / SHOWN_PERCENT) === Math.floor(this.shown / SHOWN_PERCENT)) return;
    if (Math.floor(percent / PIN_PERCENT) === Math.floor(this.shown / PIN_PERCENT))
      status.progress("downloading", percent);
    else status.set("downloading", { percent, version });
    this.shown = percent;
  }

  /** SHA-256 of what flash really holds, then header and descriptor. */
  private verify(manifest: Manifest, other: Flash): void {
    if (encodeHex(this.hashOf(other, 0, manifest.size)) !== manifest.sha256)
      throw new UpdateError("image-mismatch");
    const { version, secureVersion } = descriptorOf(other, manifest.size);
    if (version !== manifest.version || secureVersion !== manifest.sc)
      throw new UpdateError("image-mismatch");
    this.stage = "select";
    this.status.set("restarting", { percent: 100, version });
  }

  /** `selectOther` verifies once more, as the bootloader will. */
  private select({ version }: Manifest): never {
    const { store, device } = this.base;
    saveMemory(store, { ...loadMemory(store), s: "selected" });
    device.slots!.selectOther();
    return restartFor(store, device.system, "ota", `to ${version}`);
  }

  private hashOf(flash: Flash, offset: number, length: number): Uint8Array {
    const { crypto, system } = this.base.device;
    const hash = crypto.createSha256();
    for (let at = 0; at < length; at += PIECE) {
      hash.update(flash.read(offset + at, Math.min(PIECE, length - at)));
      if (at % 0x10000 === 0) system.feedWatchdog();
    }
    return hash.digest();
  }
}

function descriptorOf(flash: Flash, size: number): { version: string; secureVersion: number } {
  try {
    const { segments } = parseImage((offset, length) => flash.read(offset, length), size);
    return parseAppDescriptor(flash.read(segments[0]!.fileOffset, APP_DESCRIPTOR_SIZE));
  } catch {
    throw new UpdateError("image-mismatch");
  }
}

function chunkLength({ size }: Manifest, chunk: number): number {
  return Math.min(CHUNK_SIZE, size - chunk * CHUNK_SIZE);
}
