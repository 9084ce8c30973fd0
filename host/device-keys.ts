// The keys that open a device's messages: unwrapped and derived once, kept for the devices heard of last.

import { deriveKeys, type DeviceKeys } from "../firmware/protocol/sealed.js";
import type { Crypto } from "../firmware/protocol/crypto.js";
import type { Keyring } from "./keyring.js";
import type { Join, Store } from "./store/store.js";

const MAX_CACHED = 4096;

export interface Opened {
  keys: DeviceKeys;
  /** The handshake that these keys are from, while no first sync has confirmed it. */
  join: Join | undefined;
}

export class KeyCache {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #crypto: Crypto;
  /** Oldest use first. */
  readonly #cached = new Map<string, DeviceKeys>();
  /** For ids that nobody has: the work, and so the time, is the same. */
  readonly #decoy: DeviceKeys;

  constructor(store: Store, keyring: Keyring, crypto: Crypto) {
    this.#store = store;
    this.#keyring = keyring;
    this.#crypto = crypto;
    this.#decoy = deriveKeys(crypto, crypto.random(32), "decoy");
  }

  get decoy(): DeviceKeys {
    return this.#decoy;
  }

  #derive(id: string, g: number, wrapped: Uint8Array): DeviceKeys {
    return deriveKeys(this.#crypto, this.#keyring.unwrapDeviceKey(id, g, wrapped), id);
  }

  /** K of (id, g) never changes while it exists, so a cached one stays right; who is refused is decided by the state. */
  async get(id: string, g: number): Promise<Opened | undefined> {
    const name = `${id}.${g}`;
    const cached = this.#cached.get(name);
    if (cached) {
      this.#cached.delete(name);
      this.#cached.set(name, cached);
      return { keys: cached, join: undefined };
    }
    const identity = await this.#store.getIdentity(id, g);
    if (!identity) {
      const join = await this.#store.getJoin(id);
      return join?.g === g ? { keys: this.#derive(id, g, join.wrappedKey), join } : undefined;
    }
    const keys = this.#derive(id, g, identity.wrappedKey);
    this.#cached.set(name, keys);
    if (this.#cached.size > MAX_CACHED) this.#cached.delete(this.#cached.keys().next().value!);
    return { keys, join: undefined };
  }
}
