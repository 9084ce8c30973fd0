// One sealed round trip (PROTOCOL section 1): seals, sends, and takes only the reply that is bound to this request.

import type { Crypto } from "../protocol/crypto.js";
import { deriveKeys, openReply, sealRequest } from "../protocol/sealed.js";
import type { DeviceKeys } from "../protocol/sealed.js";
import { decodeReply, encodeRequest } from "../protocol/sync-message.js";
import type { SyncReply, SyncRequest } from "../protocol/sync-message.js";
import { LinkError } from "./error.js";
import type { HttpClient } from "./http.js";

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

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#keys = deriveKeys(options.crypto, options.identity.key, options.identity.id);
  }

  get busy(): boolean {
    return this.#options.http.busy;
  }

  /** Gives up the request under way: it ends as failed, `cancelled`. */
  cancel(): void {
    this.#options.http.abort();
  }

  /**
   * Sends one request. Never rejects for what the network or the server do. Throws `message-too-long` (FormatError) where the
   * caller put in more than `maxPlaintext`, and Error where a request is under way.
   */
  async send(request: SyncRequest): Promise<SyncResult> {
    const { crypto, http, identity, uptimeMs, maxPlaintext } = this.#options;
    if (http.busy) throw new Error("a request is under way");
    const { id, g } = identity;
    const { b, s, w, m } = request;
    const sealed = sealRequest(crypto, this.#keys, {
      id,
      g,
      b,
      s,
      plaintext: encodeRequest(request, maxPlaintext),
    });
    const started = uptimeMs();
    let body: Uint8Array;
    try {
      const response = await http.request({
        method: "POST",
        path: `/api/devices/${id}/sync`,
        contentType: "application/jose",
        body: sealed.bytes,
        timeoutMs: w * 1000 + ANSWER_TIMEOUT_MS,
        maxBody: m,
      });
      if (response.status !== 200)
        return { kind: "failed", reason: "server-rejected", status: response.status };
      body = response.body;
    } catch (error) {
      return { kind: "failed", reason: failureOf(error) };
    }
    const ended = uptimeMs();
    let plaintext: Uint8Array;
    try {
      plaintext = openReply(crypto, this.#keys, { id, g, re: sealed.tag }, body);
    } catch {
      return { kind: "failed", reason: "unauthenticated" };
    }
    try {
      return resultOf(decodeReply(plaintext), w, started, ended);
    } catch {
      return { kind: "failed", reason: "bad-reply" };
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
