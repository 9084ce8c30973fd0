// One sealed round trip (PROTOCOL section 1): seals, sends, and takes only the reply that is bound to this request.

import type { Crypto } from "../protocol/crypto.js";
import { deriveKeys, openReply, sealRequest } from "../protocol/sealed.js";
import type { DeviceKeys } from "../protocol/sealed.js";
import { decodeReply, encodeRequest } from "../protocol/sync-message.js";
import type { SyncReply, SyncRequest } from "../protocol/sync-message.js";
import { LinkError } from "./error.js";
import type { HttpClient, HttpResponse } from "./http.js";

/** Who this device is to its server. One record in the store. */
export interface Identity {
  id: string;
  g: number; // key generation
  key: Uint8Array; // K, 32 bytes
  pin: string; // of the server that it belongs to
}

/** Why there is no usable reply. None of these may erase, re-join, change server or reboot: only wait longer. */
export type SyncFailure =
  | "server-unreachable"
  | "timeout"
  | "server-rejected" // an HTTP status other than 200, which nobody authenticated
  | "unauthenticated" // something answered, but not our server to this request
  | "bad-reply" // our server, but a field is not what this device knows
  | "cancelled";

export type SyncResult =
  | { kind: "reply"; reply: SyncReply; roundTripMs: number; clock: ServerClock | undefined }
  | { kind: "stale"; hb: number } // go on with boot number hb + 1
  | { kind: "pending"; reply: SyncReply }
  | { kind: "denied" }
  | { kind: "failed"; reason: SyncFailure; status?: number };

/** The server's time when the device's uptime was `uptimeMs`. */
export interface ServerClock {
  t: number; // ms since 1970
  uptimeMs: number;
}

export interface SyncOptions {
  crypto: Crypto;
  http: HttpClient;
  identity: Identity;
  uptimeMs(): number;
  /** Longest plaintext of a request: MAX_PLAINTEXT_ESP8266 or MAX_PLAINTEXT of sealed.ts. */
  maxPlaintext: number;
}

/** What an answer may take beyond the hold asked for. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Above this a round trip says too little about the time. */
const CLOCK_ROUND_TRIP_MS = 10_000;

/** The sealed line to the server. One request at a time: to send while a hold is open, cancel it first. */
export class SyncLink {
  readonly #options: SyncOptions;
  readonly #keys: DeviceKeys;
  #sending = false;
  #cancelled = false;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#keys = deriveKeys(options.crypto, options.identity.key, options.identity.id);
  }

  get busy(): boolean {
    return this.#sending;
  }

  /** Gives up the request under way: it ends as failed, `cancelled`. */
  cancel(): void {
    this.#cancelled = this.#sending;
    this.#options.http.abort();
  }

  /**
   * Sends one request. Never rejects for what the network or the server do. Throws `message-too-long` (FormatError) where the
   * caller put in more than `maxPlaintext`, and Error where a request is under way.
   */
  async send(request: SyncRequest): Promise<SyncResult> {
    if (this.#sending) throw new Error("a request is under way");
    this.#sending = true;
    this.#cancelled = false;
    try {
      await undefined; // XS's stack holds 256 slots, some 8 calls of async functions: sealing begins on an empty one
      const sealed = this.#seal(request);
      const started = this.#options.uptimeMs();
      const response = await this.#post(sealed.bytes, request);
      const ended = this.#options.uptimeMs();
      if (response.status !== 200)
        return { kind: "failed", reason: "server-rejected", status: response.status };
      return this.#open(response.body, sealed.tag, request.w, started, ended);
    } catch (error) {
      if (error instanceof LinkError) return { kind: "failed", reason: failureOf(error) };
      throw error;
    } finally {
      this.#sending = false;
    }
  }

  #seal(request: SyncRequest): { bytes: Uint8Array; tag: string } {
    const plaintext = encodeRequest(request, this.#options.maxPlaintext);
    const { id, g } = this.#options.identity;
    return sealRequest(this.#options.crypto, this.#keys, { id, g, b: request.b, s: request.s, plaintext });
  }

  #post(body: Uint8Array, { w, m }: SyncRequest): Promise<HttpResponse> {
    if (this.#cancelled) throw new LinkError("aborted", "the request was given up");
    return this.#options.http.request({
      method: "POST",
      path: `/api/devices/${this.#options.identity.id}/sync`,
      contentType: "application/jose",
      body,
      timeoutMs: w * 1000 + ANSWER_TIMEOUT_MS,
      maxBody: m,
    });
  }

  #open(body: Uint8Array, re: string, waitS: number, started: number, ended: number): SyncResult {
    const { id, g } = this.#options.identity;
    let reason: SyncFailure = "unauthenticated";
    try {
      const plaintext = openReply(this.#options.crypto, this.#keys, { id, g, re }, body);
      reason = "bad-reply";
      return resultOf(decodeReply(plaintext), waitS, started, ended);
    } catch {
      return { kind: "failed", reason };
    }
  }
}

/** What kept an answer from coming, in the words of the chain. */
export function failureOf(error: unknown): SyncFailure {
  const code = error instanceof LinkError ? error.code : undefined;
  if (code === "timeout") return "timeout";
  if (code === "aborted") return "cancelled";
  return code === "unreachable" || code === "closed" ? "server-unreachable" : "unauthenticated";
}

function resultOf(reply: SyncReply, waitS: number, started: number, ended: number): SyncResult {
  if (reply.e === "stale") return { kind: "stale", hb: reply.hb! };
  if (reply.e === "pending") return { kind: "pending", reply };
  if (reply.e === "denied") return { kind: "denied" };
  const roundTripMs = ended - started;
  const trusted = waitS === 0 && roundTripMs < CLOCK_ROUND_TRIP_MS;
  const clock = trusted ? { t: reply.t + Math.round(roundTripMs / 2), uptimeMs: ended } : undefined;
  return { kind: "reply", reply, roundTripMs, clock };
}
