// The maker's update keys: Ed25519 pairs (RFC 8032) in a folder of his own, the private halves sealed under a passphrase
// with scrypt (RFC 7914) and AES-256-GCM (NIST SP 800-38D).

import * as crypto from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BroomeError } from "../error.js";

/** 128 MB and about half a second a guess. */
const SCRYPT = { N: 1 << 17, r: 8, p: 1 };
const SCRYPT_MEMORY = 256 * 1024 * 1024;

export interface UpdateKeyInfo {
  kid: string;
  /** Public key, 43 characters of base64url. */
  key: string;
  /** Made without a passphrase, for trying things out: `publish` refuses it for servers that others can reach. */
  demo: boolean;
  /** Where the private half lies, if it is here. */
  privateFile: string | undefined;
}

interface SealedSecret {
  kdf: "scrypt";
  N: number;
  r: number;
  p: number;
  salt: string;
  nonce: string;
  sealed: string;
}

interface PrivateFile {
  kid: string;
  demo: boolean;
  /** PKCS #8 (RFC 8410), base64url: in the clear for a demo key. */
  secret: string | SealedSecret;
}

/** Asked for only when it is needed. */
export type Passphrase = () => Promise<string>;

function seal(secret: Uint8Array, kid: string, passphrase: string, N: number): SealedSecret {
  const salt = crypto.randomBytes(16);
  const nonce = crypto.randomBytes(12);
  const key = crypto.scryptSync(passphrase.normalize("NFC"), salt, 32, {
    ...SCRYPT,
    N,
    maxmem: SCRYPT_MEMORY,
  });
  const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(kid));
  const sealed = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  const [saltText, nonceText, text] = [salt, nonce, sealed].map((bytes) => bytes.toString("base64url"));
  return { kdf: "scrypt", ...SCRYPT, N, salt: saltText!, nonce: nonceText!, sealed: text! };
}

function open({ N, r, p, salt, nonce, sealed }: SealedSecret, kid: string, passphrase: string): Buffer {
  if (N > SCRYPT.N || r > SCRYPT.r || p > SCRYPT.p)
    throw unreadable(kid, "asks for more memory than is given");
  const key = crypto.scryptSync(passphrase.normalize("NFC"), Buffer.from(salt, "base64url"), 32, {
    ...{ N, r, p },
    maxmem: SCRYPT_MEMORY,
  });
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = crypto.createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64url"), {
    authTagLength: 16,
  });
  decipher.setAAD(Buffer.from(kid));
  decipher.setAuthTag(bytes.subarray(-16));
  const opened = decipher.update(bytes.subarray(0, -16));
  try {
    return Buffer.concat([opened, decipher.final()]);
  } catch {
    throw new BroomeError("passphrase-wrong", `the passphrase does not open key ${kid}`, "Try again.");
  }
}

function unreadable(what: string, why: string): BroomeError {
  return new BroomeError("key-invalid", `${what}: ${why}`, "Restore the file from your backup.");
}

/** Whole or not at all, for the owner alone where `mode` says so. */
function write(path: string, value: object, mode: number): void {
  const temporary = `${path}.${crypto.randomBytes(6).toString("hex")}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode, flag: "wx" });
  renameSync(temporary, path);
}

/** A new pair in `directory`. Without a passphrase it is a demo key. `cost` is scrypt's N, lower only in tests. */
export async function createKey(
  directory: string,
  passphrase: Passphrase | undefined,
  cost: number = SCRYPT.N,
): Promise<UpdateKeyInfo> {
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "jwk" }).x!;
  const demo = passphrase === undefined;
  const name = crypto.createHash("sha256").update(key).digest("hex").slice(0, 8);
  const kid = demo ? `demo-${name}` : name;
  const secret = privateKey.export({ format: "der", type: "pkcs8" });
  const kept = demo ? secret.toString("base64url") : seal(secret, kid, await passphrase(), cost);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const privateFile = join(directory, `${kid}.key`);
  write(privateFile, { kid, demo, secret: kept } satisfies PrivateFile, 0o600);
  chmodSync(privateFile, 0o600);
  write(join(directory, `${kid}.pub.json`), { kid, key, demo }, 0o644);
  return { kid, key, demo, privateFile };
}

function readPublic(directory: string, file: string): UpdateKeyInfo {
  let json: Partial<UpdateKeyInfo>;
  try {
    json = JSON.parse(readFileSync(join(directory, file), "utf8")) as Partial<UpdateKeyInfo>;
  } catch (error) {
    throw unreadable(join(directory, file), (error as Error).message);
  }
  const { kid, key, demo = false } = json;
  if (typeof kid !== "string" || typeof key !== "string" || `${kid}.pub.json` !== file)
    throw unreadable(join(directory, file), "it does not hold the key that it is named after");
  const privateFile = join(directory, `${kid}.key`);
  return { kid, key, demo, privateFile: existsSync(privateFile) ? privateFile : undefined };
}

/** The keys of `directory`, by kid. */
export function listKeys(directory: string): UpdateKeyInfo[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".pub.json"));
  return names.sort().map((name) => readPublic(directory, name));
}

/** Signs with the private half of `info`. Throws BroomeError `key-unknown`, `key-invalid`, `passphrase-wrong`. */
export async function signWith(
  info: UpdateKeyInfo,
  passphrase: Passphrase,
): Promise<(input: Uint8Array) => Uint8Array> {
  if (info.privateFile === undefined)
    throw new BroomeError(
      "key-unknown",
      `the private half of ${info.kid} is not here`,
      "Sign on the machine that has it.",
    );
  const { secret } = JSON.parse(readFileSync(info.privateFile, "utf8")) as PrivateFile;
  const der =
    typeof secret === "string"
      ? Buffer.from(secret, "base64url")
      : open(secret, info.kid, await passphrase());
  const key = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  if (crypto.createPublicKey(key).export({ format: "jwk" }).x !== info.key)
    throw unreadable(info.privateFile, "it is not the private half of the public key beside it");
  return (input) => new Uint8Array(crypto.sign(null, input, key));
}
