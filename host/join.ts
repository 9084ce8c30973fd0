// The server's side of joining (PROTOCOL, 2): who may ask, how often, and what the owner sees.

import { encodeUtf8 } from "../firmware/format/utf8.js";
import { FormatError } from "../firmware/format/error.js";
import type { Crypto } from "../firmware/protocol/crypto.js";
import { makeM2, openM1, parseJoinRequest, type ServerJoin } from "../firmware/protocol/join.js";
import { FIRST_GENERATION } from "../firmware/protocol/sealed.js";
import { HostError } from "./error.js";
import type { Keyring } from "./keyring.js";
import { isLowOrder } from "./low-order.js";
import type { Metrics } from "./metrics.js";
import type { Join, JoinKey, JoinLimits, Store } from "./store/store.js";
import { newId } from "./tokens.js";

export const JOIN_LIMITS: JoinLimits = { perKey: 100, total: 1000, perMinuteAndKey: 6 };

/** How long an answered join may be confirmed; the same figure stands in the store. */
const UNCONFIRMED_MS = 10 * 60_000;
/** How long the same M1 is known again: as an old one after UNCONFIRMED_MS, so that it costs nothing. */
const REMEMBERED_MS = 24 * 3600_000;

export interface JoinOptions {
  store: Store;
  keyring: Keyring;
  crypto: Crypto;
  metrics: Metrics;
  now: () => number;
}

function rejected(): HostError {
  return new HostError(
    403,
    "join-rejected",
    "the join key is not valid here",
    "Make a new one with `broome join-keys create` and patch it into the device.",
  );
}

/** As the handshake would say after a Diffie-Hellman that nothing counts. */
function weakKey(): FormatError {
  return new FormatError("noise-weak-key", "the device's key is of low order", "Let the device join again.");
}

function tooMany(status: "too-many" | "too-fast"): HostError {
  return new HostError(
    429,
    "join-too-many",
    status === "too-fast" ? "too many joins with this key in a minute" : "too many joins are waiting",
    "The device tries again later by itself.",
  );
}

export class JoinService {
  readonly #options: JoinOptions;

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  /**
   * Answers M1 with M2, also where it names another server's pin: only to an M2 that opens can the device listen, and it
   * compares S itself. Throws HostError `join-rejected` (unknown, expired, used-up, revoked key, and one that does not
   * open M1: one answer for all), `join-too-many`; FormatError for another form.
   */
  async answer(body: Uint8Array): Promise<Uint8Array> {
    const { metrics } = this.#options;
    try {
      return await this.#answer(body);
    } catch (error) {
      metrics.add("join_rejected");
      throw error;
    }
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    const { store, crypto, metrics, now } = this.#options;
    const request = parseJoinRequest(body);
    if (isLowOrder(request.m.subarray(0, 32))) throw weakKey();
    const m1 = crypto.sha256(encodeUtf8(`${request.kid}|`), request.m);
    const key = await store.getJoinKey(request.kid);
    if (!key || !this.#isValid(key)) throw rejected();
    const known = await store.findJoin(m1);
    if (known) return this.#again(known);
    const opened = this.#open(request, key);
    const room = await store.joinRoom(key.kid, now(), JOIN_LIMITS);
    if (room !== "free") throw tooMany(room);
    const join = this.#admit(opened, key.kid, m1);
    const added = await store.addJoin(join, JOIN_LIMITS);
    if (added === "known") return this.#again((await store.findJoin(m1))!);
    if (added !== "free") throw tooMany(added);
    metrics.add("join_answered");
    return join.m2;
  }

  #isValid(key: JoinKey): boolean {
    const { now } = this.#options;
    if (key.revoked || (key.expires !== null && key.expires <= now())) return false;
    return key.uses === null || key.used < key.uses;
  }

  #again(known: Join): Uint8Array {
    if (known.at <= this.#options.now() - UNCONFIRMED_MS) throw rejected();
    this.#options.metrics.add("join_repeated");
    return known.m2;
  }

  /** Proves that the sender knows the join key; no Diffie-Hellman is done up to here. */
  #open(request: { kid: string; m: Uint8Array }, key: JoinKey): ServerJoin {
    const { crypto, keyring } = this.#options;
    try {
      const secret = keyring.unwrapJoinSecret(key.kid, key.wrappedSecret);
      return openM1(crypto, request, secret, keyring.server);
    } catch (error) {
      if ((error as { code?: string }).code === "noise-unauthenticated") throw rejected();
      throw error;
    }
  }

  #admit(opened: ServerJoin, kid: string, m1: Uint8Array): Join {
    const { crypto, keyring, now } = this.#options;
    const deviceid = newId();
    const at = now();
    const { hello } = opened;
    const { body, key, h } = makeM2(crypto, opened, { id: deviceid, t: at });
    return {
      deviceid,
      g: FIRST_GENERATION,
      kid,
      m1,
      m2: body,
      h,
      commitment: hello.c,
      wrappedKey: keyring.wrapDeviceKey(deviceid, FIRST_GENERATION, key),
      mac: hello.mac,
      chip: hello.chip,
      product: hello.product,
      version: hello.v,
      rssi: hello.rssi === 0 ? null : hello.rssi,
      name: hello.name ?? "",
      at,
    };
  }

  /** Forgets what is older than a day. */
  async sweep(): Promise<void> {
    await this.#options.store.removeJoinsBefore(this.#options.now() - REMEMBERED_MS);
  }
}
