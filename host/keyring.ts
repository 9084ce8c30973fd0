// The server's own keys, in files beside the database: S, by which devices know it, and the key that wraps what the
// database keeps (AES-256-GCM, NIST SP 800-38D): a copy of the database alone opens nothing.

import { decodeBase64url, encodeBase64url } from "../firmware/protocol/base64url.js";
import type { Crypto } from "../firmware/protocol/crypto.js";
import { serverPin } from "../firmware/protocol/join.js";
import type { KeyPair } from "../firmware/protocol/noise.js";
import { encodeUtf8 } from "../firmware/format/utf8.js";
import { HostError } from "./error.js";
import { createSecretFile, readSecretFile } from "./secret-file.js";
import type { Store } from "./store/store.js";

const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;

export interface Keyring {
  readonly server: KeyPair;
  /** 22 characters: the pin of `server`. */
  readonly pin: string;
  wrapDeviceKey(id: string, g: number, key: Uint8Array): Uint8Array;
  /** Throws HostError `key-damaged` where the row was changed, or moved to another device. */
  unwrapDeviceKey(id: string, g: number, wrapped: Uint8Array): Uint8Array;
  wrapJoinSecret(kid: string, secret: Uint8Array): Uint8Array;
  unwrapJoinSecret(kid: string, wrapped: Uint8Array): Uint8Array;
}

/** Reads the key, or makes it where the database has never seen one. */
async function keyFile(crypto: Crypto, store: Store, path: string, setting: string): Promise<Uint8Array> {
  const fingerprint = (key: Uint8Array) =>
    encodeBase64url(crypto.sha256(encodeUtf8(`broome/1 ${setting}`), key).slice(0, 16));
  const known = await store.getSetting(setting);
  const text = readSecretFile(path);
  if (text === undefined && known !== undefined)
    throw new HostError(
      500,
      "server-key-missing",
      `${path} is missing, and the database was written with it`,
      "Put the file back from the backup. Without it no device of this database can be reached.",
    );
  const key = text === undefined ? crypto.random(KEY_LENGTH) : decodeBase64url(text, KEY_LENGTH);
  if (known !== undefined && known !== fingerprint(key))
    throw new HostError(
      500,
      "server-key-missing",
      `${path} is not the key that the database was written with`,
      "Put the file that belongs to this database back from the backup.",
    );
  if (text === undefined) createSecretFile(path, encodeBase64url(key));
  if (known === undefined) await store.setSetting(setting, fingerprint(key));
  return key;
}

/** Opens the keys beside `base` (`base.server.key`, `base.wrap.key`, mode 0600), made at the first start. */
export async function openKeyring(crypto: Crypto, store: Store, base: string): Promise<Keyring> {
  const s = await keyFile(crypto, store, `${base}.server.key`, "server-key");
  const wrappingKey = await keyFile(crypto, store, `${base}.wrap.key`, "wrapping-key");
  const server: KeyPair = { secret: s, publicKey: crypto.x25519Public(s) };

  const wrap = (aad: string, secret: Uint8Array): Uint8Array => {
    const nonce = crypto.random(NONCE_LENGTH);
    return Buffer.concat([nonce, crypto.aesGcmSeal(wrappingKey, nonce, encodeUtf8(aad), secret)]);
  };
  const unwrap = (aad: string, wrapped: Uint8Array): Uint8Array => {
    const nonce = wrapped.subarray(0, NONCE_LENGTH);
    const secret =
      nonce.length === NONCE_LENGTH
        ? crypto.aesGcmOpen(wrappingKey, nonce, encodeUtf8(aad), wrapped.subarray(NONCE_LENGTH))
        : undefined;
    if (!secret)
      throw new HostError(
        500,
        "key-damaged",
        `the key of ${aad} does not open`,
        "The row was changed outside the server: restore the database from its backup.",
      );
    return secret;
  };
  return {
    server,
    pin: serverPin(crypto, server.publicKey),
    wrapDeviceKey: (id, g, key) => wrap(`${id}|${g}`, key),
    unwrapDeviceKey: (id, g, wrapped) => unwrap(`${id}|${g}`, wrapped),
    wrapJoinSecret: (kid, secret) => wrap(`join|${kid}`, secret),
    unwrapJoinSecret: (kid, wrapped) => unwrap(`join|${kid}`, wrapped),
  };
}
