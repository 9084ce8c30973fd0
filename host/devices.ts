// What an owner does with devices: register, approve, deny, block, rename, configure.

import type { Crypto } from "../firmware/protocol/crypto.js";
import { encodeBase64url } from "../firmware/protocol/base64url.js";
import { encodeUtf8, measure } from "../firmware/format/utf8.js";
import { FIRST_GENERATION, KEY_LENGTH } from "../firmware/protocol/sealed.js";
import { MAX_CONFIGURATION, MAX_NAME, type Scalar } from "../firmware/protocol/sync-message.js";
import { flat } from "../firmware/protocol/field.js";
import { equalBytes } from "../firmware/protocol/equal.js";
import { badRequest, HostError, notFound } from "./error.js";
import type { Events } from "./events.js";
import type { Holds } from "./holds.js";
import type { Keyring } from "./keyring.js";
import type { Presence } from "./presence.js";
import type { Device, DeviceEdit, DeviceState, Scope, Store, Token } from "./store/store.js";
import { hashToken, newId, newToken } from "./tokens.js";

/** Wrong codes after which a pending device is denied. */
const CODE_TRIES = 5;
const PENDING_MS = 24 * 3600_000;

export interface DeviceOptions {
  store: Store;
  keyring: Keyring;
  crypto: Crypto;
  holds: Holds;
  presence: Presence;
  events: Events;
  now: () => number;
}

/** What an owner says when he approves. */
export interface Approval {
  /** The six digits that the device shows. */
  code?: string;
  /** Explicitly without comparing. */
  withoutCode?: boolean;
  name?: string;
}

function checkName(name: string): string {
  if (measure(name) > MAX_NAME)
    throw new HostError(400, "value-too-long", `a name has at most ${MAX_NAME} bytes`, "Shorten the name.");
  return name;
}

export class DeviceService {
  readonly #options: DeviceOptions;

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  /** Throws HostError `not-found`. */
  async get(id: string): Promise<Device> {
    const device = await this.#options.store.getDevice(id);
    if (!device) throw notFound(`device ${id}`);
    return device;
  }

  /** A device that is known before its first start: K goes into its defaults. The only time that K leaves the server. */
  async register(name: string): Promise<{ id: string; key: string }> {
    const { store, keyring, crypto, now, events } = this.#options;
    const id = newId();
    const key = crypto.random(KEY_LENGTH);
    const g = FIRST_GENERATION;
    await store.addDevice(
      { deviceid: id, name: checkName(name), datec: now(), state: "approved" },
      { deviceid: id, g, wrappedKey: keyring.wrapDeviceKey(id, g, key) },
    );
    events.emit("device", { id });
    return { id, key: encodeBase64url(key) };
  }

  /**
   * Throws HostError `not-pending`, `code-missing`, `code-wrong`; after the fifth wrong code the device is denied
   * (`code-denied`).
   */
  async approve(id: string, approval: Approval): Promise<Device> {
    const { store } = this.#options;
    const { state, code, claims } = await this.get(id);
    if (state === "blocked" || state === "denied") {
      if (approval.withoutCode) return this.#move(id, [state], "approved");
      throw this.#codeMissing(`it is ${state}: letting it in again is without a code`);
    }
    if (state !== "pending") throw this.#notPending(id, state);
    const name = approval.name === undefined ? undefined : checkName(approval.name);
    if (approval.code === undefined && !approval.withoutCode) throw this.#codeMissing("no code was given");
    if (approval.code !== undefined && !equalBytes(encodeUtf8(approval.code), encodeUtf8(code ?? "")))
      await this.#countWrong(id);
    const device = await store.approveDevice(id, name);
    if (!device) throw this.#notPending(id, (await this.get(id)).state);
    this.#changed(id);
    if (claims !== null) {
      this.#changed(claims); // it was replaced
      this.#options.presence.gone(claims);
    }
    return device;
  }

  #codeMissing(message: string): HostError {
    return new HostError(
      400,
      "code-missing",
      message,
      'Send {"code":"..."} with the six digits that the device shows, or {"withoutCode":true}.',
    );
  }

  #notPending(id: string, state: DeviceState): HostError {
    return new HostError(409, "not-pending", `device ${id} is ${state}`, "Nothing is to be done.");
  }

  async #countWrong(id: string): Promise<never> {
    const tries = await this.#options.store.countWrongCode(id);
    if (tries < CODE_TRIES)
      throw new HostError(
        400,
        "code-wrong",
        `that is not the code that the server computed; ${CODE_TRIES - tries} tries left`,
        "Read it again. Should the device really show other digits, somebody sits in between: deny it.",
      );
    await this.deny(id);
    throw new HostError(403, "code-denied", "the fifth wrong code: denied", "Let the device join again.");
  }

  deny(id: string): Promise<Device> {
    return this.#move(id, ["pending"], "denied");
  }

  /** A blocked device gets no answer that it could open. */
  async block(id: string): Promise<Device> {
    const device = await this.#move(id, ["pending", "approved", "denied"], "blocked");
    this.#options.presence.gone(id);
    return device;
  }

  async #move(id: string, from: DeviceState[], to: DeviceState): Promise<Device> {
    const { state } = await this.get(id);
    const device = await this.#options.store.moveDevice(id, from, to);
    if (!device) throw this.#notPending(id, state);
    this.#changed(id);
    return device;
  }

  async edit(id: string, edit: DeviceEdit): Promise<Device> {
    if (edit.name !== undefined) checkName(edit.name);
    const device = await this.#options.store.editDevice(id, edit);
    if (!device) throw notFound(`device ${id}`);
    this.#changed(id);
    return device;
  }

  /** Throws HostError `bad-request`, `value-too-long`; FormatError `field-invalid`. */
  async configure(id: string, values: unknown): Promise<number> {
    await this.get(id);
    const checked: Record<string, Scalar> = flat("config", values, 32, 256);
    if (measure(JSON.stringify(checked)) > MAX_CONFIGURATION)
      throw badRequest(`a configuration has at most ${MAX_CONFIGURATION} bytes`, "Shorten its values.");
    const sn = await this.#options.store.setConfig(id, checked);
    this.#changed(id);
    return sn;
  }

  /** The token's text, shown this once. */
  async addToken(id: string, scopes: Scope[], label: string): Promise<{ token: string } & Token> {
    await this.get(id);
    const text = newToken();
    const hash = hashToken(text);
    const token: Token = {
      ...{ tokenid: hash.slice(0, 12), deviceid: id, scopes, label },
      created: this.#options.now(),
    };
    await this.#options.store.addToken(token, hash);
    return { token: text, ...token };
  }

  /** Removes pending devices that nobody approved within a day. */
  async sweep(): Promise<void> {
    const { store, events, now } = this.#options;
    for (const id of await store.removePendingBefore(now() - PENDING_MS))
      events.emit("device.removed", { id });
  }

  #changed(id: string): void {
    this.#options.holds.wake(id);
    this.#options.events.emit("device", { id });
  }
}
