// The Noise Protocol Framework, revision 34, with 25519, AESGCM and SHA256: handshakes whose patterns are data.

import { FormatError } from "../format/error.js";
import { encodeUtf8 } from "../format/utf8.js";
import type { Crypto } from "./crypto.js";

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
/** The counters of Noise's HKDF (section 4.3). Never written. */
const NONE = new Uint8Array(0);
const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);
const HELP = "Both sides need the same join key, the same prologue and untouched messages.";

/** What changes from token to token. */
interface State {
  ck: Uint8Array; // chaining key
  h: Uint8Array; // hash of what was seen
  k: Uint8Array | undefined; // key of the next encryption
  n: number; // its nonce
  e: KeyPair | undefined;
  rs: Uint8Array | undefined;
  re: Uint8Array | undefined;
}

/** Makes a key pair. */
export function generateKeyPair(crypto: Crypto): KeyPair {
  const secret = crypto.random(KEY);
  return { secret, publicKey: crypto.x25519Public(secret) };
}

/**
 * One side of one handshake (section 5.3, HandshakeState with its SymmetricState inside). The byte strings it holds are
 * replaced, never written into, so a message that fails to open leaves everything as it was and another can be tried. Calls
 * nest as little as they can: the device's stack has 256 slots.
 */
export class Handshake {
  readonly #crypto: Crypto;
  readonly #pattern: Pattern;
  readonly #initiator: boolean;
  readonly #psk: Uint8Array | undefined;
  readonly #s: KeyPair | undefined;
  #state: State;
  #next = 0; // index of the next message

  constructor(crypto: Crypto, options: HandshakeOptions) {
    this.#crypto = crypto;
    this.#pattern = options.pattern;
    this.#initiator = options.initiator;
    this.#psk = options.psk;
    this.#s = options.s;
    const name = encodeUtf8(`Noise_${options.pattern.name}_25519_AESGCM_SHA256`);
    let ck: Uint8Array = new Uint8Array(32);
    if (name.length <= 32) ck.set(name);
    else ck = crypto.sha256(name);
    const h = crypto.sha256(ck, options.prologue);
    this.#state = { ck, h, k: undefined, n: 0, e: options.e, rs: undefined, re: undefined };
  }

  /** The handshake hash: what both sides saw, channel binding after the last message (section 11.2). */
  get hash(): Uint8Array {
    return this.#state.h;
  }

  /** The other side's static public key, once it was received. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#state.rs;
  }

  /** Makes the next message. Throws `noise-weak-key` where a Diffie-Hellman result is all zeros. */
  write(payload: Uint8Array): Uint8Array {
    const tokens = this.#turn(true);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < tokens.length; i++) {
      if (tokens[i] === "e") {
        this.#state.e ??= generateKeyPair(this.#crypto);
        parts.push(this.#state.e.publicKey);
        this.#mixEphemeral(this.#state.e.publicKey);
      } else if (tokens[i] === "s") {
        if (!this.#s) throw misuse("a static key is needed");
        parts.push(this.#encrypt(this.#s.publicKey));
      } else this.#mix(tokens[i]!);
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
    const tokens = this.#turn(false);
    if (message.length > MAX_MESSAGE) throw malformed(`message of ${message.length} bytes`);
    const before = this.#state;
    this.#state = { ...before };
    try {
      let at = 0;
      for (let i = 0; i < tokens.length; i++) {
        if (tokens[i] === "e") {
          this.#mixEphemeral((this.#state.re = part(message, at, KEY)));
          at += KEY;
        } else if (tokens[i] === "s") {
          const length = this.#state.k ? KEY + TAG : KEY;
          this.#state.rs = this.#decrypt(part(message, at, length));
          at += length;
        } else this.#mix(tokens[i]!);
      }
      const payload = this.#decrypt(message.subarray(at));
      this.#next += 1;
      return payload;
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  /** The two keys after the last message (section 5.2): the initiator's sending key first. */
  split(): [Uint8Array, Uint8Array] {
    if (this.#next !== this.#pattern.messages.length) throw misuse("the handshake is not over");
    const key = this.#crypto.hmacSha256(this.#state.ck, NONE);
    const first = this.#crypto.hmacSha256(key, ONE);
    return [first, this.#crypto.hmacSha256(key, first, TWO)];
  }

  /** The tokens of the next message, if it is this side's turn to write or read it. */
  #turn(writing: boolean): readonly Token[] {
    const tokens = this.#pattern.messages[this.#next];
    if (!tokens) throw misuse("the handshake is over");
    if ((writing !== (this.#next % 2 === 0)) === this.#initiator) throw misuse("it is the other side's turn");
    return tokens;
  }

  /** A psk, or the Diffie-Hellman that a token names: its first letter is the initiator's key, its second the responder's. */
  #mix(token: Token): void {
    if (token === "psk") return this.#mixPsk();
    const own = token[this.#initiator ? 0 : 1] === "e" ? this.#state.e : this.#s;
    const remote = token[this.#initiator ? 1 : 0] === "e" ? this.#state.re : this.#state.rs;
    if (!own || !remote) throw misuse("a key of the pattern is missing");
    const shared = this.#crypto.x25519(own.secret, remote);
    if (isZero(shared)) throw new FormatError("noise-weak-key", "the other side's key gives no secret", HELP);
    this.#mixKey(shared);
  }

  /** Where a pattern has a psk, an ephemeral key is also mixed into the chaining key (section 9.2). */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#state.h = this.#crypto.sha256(this.#state.h, publicKey);
    if (this.#psk) this.#mixKey(publicKey);
  }

  /** MixKey: Noise's HKDF (section 4.3) is RFC 5869's with an empty info, written out. */
  #mixKey(material: Uint8Array): void {
    const key = this.#crypto.hmacSha256(this.#state.ck, material);
    this.#state.ck = this.#crypto.hmacSha256(key, ONE);
    this.#state.k = this.#crypto.hmacSha256(key, this.#state.ck, TWO);
    this.#state.n = 0;
  }

  /** MixKeyAndHash (section 9.2). */
  #mixPsk(): void {
    if (this.#psk?.length !== KEY) throw misuse("a pre-shared key of 32 bytes is needed");
    const key = this.#crypto.hmacSha256(this.#state.ck, this.#psk);
    this.#state.ck = this.#crypto.hmacSha256(key, ONE);
    const second = this.#crypto.hmacSha256(key, this.#state.ck, TWO);
    this.#state.h = this.#crypto.sha256(this.#state.h, second);
    this.#state.k = this.#crypto.hmacSha256(key, second, THREE);
    this.#state.n = 0;
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    const state = this.#state;
    const sealed = state.k
      ? this.#crypto.aesGcmSeal(state.k, nonce(state.n++), state.h, plaintext)
      : plaintext;
    state.h = this.#crypto.sha256(state.h, sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Uint8Array {
    const state = this.#state;
    let plaintext: Uint8Array | undefined = sealed.slice();
    if (state.k) {
      if (sealed.length < TAG) throw malformed("a part is shorter than its tag");
      plaintext = this.#crypto.aesGcmOpen(state.k, nonce(state.n++), state.h, sealed);
      if (!plaintext) throw new FormatError("noise-unauthenticated", "a message does not open", HELP);
    }
    state.h = this.#crypto.sha256(state.h, sealed);
    return plaintext;
  }
}

/** `length` bytes of a message: a copy, as keys outlive it. */
function part(message: Uint8Array, at: number, length: number): Uint8Array {
  if (message.length < at + length) throw malformed(`message of ${message.length} bytes is too short`);
  return message.slice(at, at + length);
}

function isZero(bytes: Uint8Array): boolean {
  let any = 0;
  for (let i = 0; i < bytes.length; i++) any |= bytes[i]!;
  return any === 0;
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
