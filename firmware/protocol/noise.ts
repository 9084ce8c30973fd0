// The Noise Protocol Framework, revision 34, with 25519, AESGCM and SHA256: handshakes whose patterns are data.

import { FormatError } from "../format/error.js";
import { encodeUtf8 } from "../format/utf8.js";
import type { Crypto } from "./crypto.js";
import { hkdfExpand, hkdfExtract } from "./hkdf.js";

/** Section 7.1. Pre-messages are not offered: no pattern used here has any. */
export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** A handshake pattern: its name with modifiers, and the tokens of each message, the initiator's first. */
export interface Pattern {
  readonly name: string;
  readonly messages: readonly (readonly Token[])[];
}

/** The join's (sections 7.5 and 9): the fleet's key admits, the server's static key is sent and authenticates it. */
export const NX_PSK0: Pattern = {
  name: "NXpsk0",
  messages: [
    ["psk", "e"],
    ["e", "ee", "s", "es"],
  ],
};

/** An X25519 key pair, 32 bytes each. */
export interface KeyPair {
  secret: Uint8Array;
  publicKey: Uint8Array;
}

export interface HandshakeOptions {
  pattern: Pattern;
  initiator: boolean;
  prologue: Uint8Array;
  psk?: Uint8Array; // 32 bytes, where the pattern has the token
  s?: KeyPair; // own static key, where the pattern sends it
  /** Own ephemeral key: for test vectors only; without it one is made from `crypto.random`. */
  e?: KeyPair;
}

/** Longest message (section 3). */
const MAX_MESSAGE = 65535;
const KEY = 32; // bytes of a public key
const TAG = 16; // bytes of an AES-GCM tag
const HELP = "Both sides need the same join key, the same prologue and untouched messages.";

/** Makes a key pair. */
export function generateKeyPair(crypto: Crypto): KeyPair {
  const secret = crypto.random(KEY);
  return { secret, publicKey: crypto.x25519Public(secret) };
}

/**
 * One side of one handshake (section 5.3, HandshakeState with its SymmetricState inside). The byte strings it holds are
 * replaced, never written into, so a message that fails to open leaves everything as it was and another can be tried.
 */
export class Handshake {
  readonly #crypto: Crypto;
  readonly #pattern: Pattern;
  readonly #initiator: boolean;
  readonly #psk: Uint8Array | undefined;
  readonly #s: KeyPair | undefined;
  #e: KeyPair | undefined;
  #rs: Uint8Array | undefined;
  #re: Uint8Array | undefined;
  #ck: Uint8Array;
  #h: Uint8Array;
  #k: Uint8Array | undefined;
  #n = 0;
  #next = 0; // index of the next message

  constructor(crypto: Crypto, options: HandshakeOptions) {
    this.#crypto = crypto;
    this.#pattern = options.pattern;
    this.#initiator = options.initiator;
    this.#psk = options.psk;
    this.#s = options.s;
    this.#e = options.e;
    const name = encodeUtf8(`Noise_${options.pattern.name}_25519_AESGCM_SHA256`);
    let h = new Uint8Array(32);
    if (name.length <= 32) h.set(name);
    else h = Uint8Array.from(crypto.sha256(name));
    this.#ck = h;
    this.#h = crypto.sha256(h, options.prologue);
  }

  /** The handshake hash: what both sides saw, channel binding after the last message (section 11.2). */
  get hash(): Uint8Array {
    return this.#h;
  }

  /** The other side's static public key, once it was received. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#rs;
  }

  /** Makes the next message. Throws `noise-weak-key` where a Diffie-Hellman result is all zeros. */
  write(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const token of this.#turn(true)) {
      if (token === "e") {
        this.#e ??= generateKeyPair(this.#crypto);
        parts.push(this.#e.publicKey);
        this.#mixEphemeral(this.#e.publicKey);
      } else if (token === "s") {
        if (!this.#s) throw misuse("a static key is needed");
        parts.push(this.#encrypt(this.#s.publicKey));
      } else this.#mix(token);
    }
    parts.push(this.#encrypt(payload));
    this.#next += 1;
    return join(parts);
  }

  /**
   * Takes the next message, returns its payload. Throws `noise-malformed` (too short or long), `noise-unauthenticated`,
   * `noise-weak-key`; the state is then as before.
   */
  read(message: Uint8Array): Uint8Array {
    const { ck, h, k, n, rs, re } = this.#snapshot();
    try {
      return this.#read(message);
    } catch (error) {
      this.#ck = ck;
      this.#h = h;
      this.#k = k;
      this.#n = n;
      this.#rs = rs;
      this.#re = re;
      throw error;
    }
  }

  /** The two keys after the last message (section 5.2): the initiator's sending key first. */
  split(): [Uint8Array, Uint8Array] {
    if (this.#next !== this.#pattern.messages.length) throw misuse("the handshake is not over");
    return this.#derive(new Uint8Array(0), 2) as [Uint8Array, Uint8Array];
  }

  #snapshot() {
    return { ck: this.#ck, h: this.#h, k: this.#k, n: this.#n, rs: this.#rs, re: this.#re };
  }

  #read(message: Uint8Array): Uint8Array {
    if (message.length > MAX_MESSAGE) throw malformed(`message of ${message.length} bytes`);
    let at = 0;
    const take = (length: number): Uint8Array => {
      if (message.length < at + length) throw malformed(`message of ${message.length} bytes is too short`);
      at += length;
      return message.slice(at - length, at);
    };
    for (const token of this.#turn(false)) {
      if (token === "e") {
        this.#re = take(KEY);
        this.#mixEphemeral(this.#re);
      } else if (token === "s") this.#rs = this.#decrypt(take(this.#k ? KEY + TAG : KEY));
      else this.#mix(token);
    }
    const payload = this.#decrypt(message.subarray(at));
    this.#next += 1;
    return payload;
  }

  /** The tokens of the next message, if it is this side's turn to write or read it. */
  #turn(writing: boolean): readonly Token[] {
    const tokens = this.#pattern.messages[this.#next];
    if (!tokens) throw misuse("the handshake is over");
    if ((writing !== (this.#next % 2 === 0)) === this.#initiator) throw misuse("it is the other side's turn");
    return tokens;
  }

  #mix(token: Token): void {
    if (token === "psk") this.#mixPsk();
    else if (token === "ee") this.#mixDh(this.#e, this.#re);
    else if (token === "ss") this.#mixDh(this.#s, this.#rs);
    else if ((token === "es") === this.#initiator) this.#mixDh(this.#e, this.#rs);
    else this.#mixDh(this.#s, this.#re);
  }

  /** Where a pattern has a psk, an ephemeral key is also mixed into the chaining key (section 9.2). */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#mixHash(publicKey);
    if (this.#pattern.messages.some((tokens) => tokens.includes("psk"))) this.#mixKey(publicKey);
  }

  #mixPsk(): void {
    if (this.#psk?.length !== KEY) throw misuse("a pre-shared key of 32 bytes is needed");
    const [ck, h, k] = this.#derive(this.#psk, 3);
    this.#ck = ck!;
    this.#mixHash(h!);
    this.#k = k;
    this.#n = 0;
  }

  #mixDh(own: KeyPair | undefined, remote: Uint8Array | undefined): void {
    if (!own || !remote) throw misuse("a key of the pattern is missing");
    const shared = this.#crypto.x25519(own.secret, remote);
    if (shared.every((byte) => byte === 0))
      throw new FormatError("noise-weak-key", "the other side's key gives no secret", HELP);
    this.#mixKey(shared);
  }

  #mixKey(material: Uint8Array): void {
    const [ck, k] = this.#derive(material, 2);
    this.#ck = ck!;
    this.#k = k;
    this.#n = 0;
  }

  #mixHash(data: Uint8Array): void {
    this.#h = this.#crypto.sha256(this.#h, data);
  }

  /** Noise's HKDF (section 4.3) is RFC 5869's with an empty info: `count` outputs of 32 bytes. */
  #derive(material: Uint8Array, count: number): Uint8Array[] {
    const key = hkdfExtract(this.#crypto, this.#ck, material);
    const output = hkdfExpand(this.#crypto, key, new Uint8Array(0), 32 * count);
    return Array.from({ length: count }, (_, i) => output.slice(32 * i, 32 * i + 32));
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#k
      ? this.#crypto.aesGcmSeal(this.#k, nonce(this.#n++), this.#h, plaintext)
      : plaintext;
    this.#mixHash(sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Uint8Array {
    let plaintext: Uint8Array | undefined = sealed.slice();
    if (this.#k) {
      if (sealed.length < TAG) throw malformed("a part is shorter than its tag");
      plaintext = this.#crypto.aesGcmOpen(this.#k, nonce(this.#n), this.#h, sealed);
      if (!plaintext) throw new FormatError("noise-unauthenticated", "a message does not open", HELP);
      this.#n += 1;
    }
    this.#mixHash(sealed);
    return plaintext;
  }
}

/** AESGCM's nonce (section 12.4): 32 zero bits, then n in 64 bits, big-endian. */
export function nonce(n: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, n);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function malformed(what: string): FormatError {
  return new FormatError("noise-malformed", what, HELP);
}

function misuse(what: string): Error {
  return new Error(`handshake: ${what}`);
}
