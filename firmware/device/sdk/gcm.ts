// AES-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag, put together of the SDK's AES-CTR and GHASH: its own `gcm`
// module counts in BigInts, compares tags in their own time, and decrypts before it has checked.

import { bufferOf } from "./bytes.js";
import type { CryptModule, SdkBlockCipher } from "./crypt-module.js";

const BLOCK_SIZE = 16;
const NONCE_SIZE = 12;
export const TAG_SIZE = 16;

export class Gcm {
  private readonly crypt: CryptModule;
  private readonly cipher: SdkBlockCipher;

  /** `key`: 16 or 32 bytes. */
  constructor(crypt: CryptModule, key: Uint8Array) {
    if (key.length !== 16 && key.length !== 32)
      throw new Error(`"key" expected 16 or 32 bytes, got ${key.length}`);
    this.crypt = crypt;
    this.cipher = new crypt.BlockCipher("AES", bufferOf(key));
  }

  /** Ciphertext followed by the tag. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkNonce(nonce);
    const sealed = new Uint8Array(plaintext.length + TAG_SIZE);
    sealed.set(this.counted(nonce, plaintext));
    sealed.set(this.tag(nonce, aad, sealed.subarray(0, plaintext.length)), plaintext.length);
    return sealed;
  }

  /** The plaintext, or undefined where the tag is another: then nothing was decrypted. */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    checkNonce(nonce);
    const length = sealed.length - TAG_SIZE;
    if (length < 0) return undefined;
    const tag = this.tag(nonce, aad, sealed.subarray(0, length));
    let difference = 0; // all bytes are looked at, however early they differ
    for (let i = 0; i < TAG_SIZE; i += 1) difference |= tag[i]! ^ sealed[length + i]!;
    return difference === 0 ? this.counted(nonce, sealed.subarray(0, length)) : undefined;
  }

  /** Clause 6.5: the counter of the first block of data is 2. */
  private counted(nonce: Uint8Array, data: Uint8Array): Uint8Array {
    if (data.length === 0) return data;
    const mode = new this.crypt.Mode("CTR", this.cipher, counterBlock(nonce, 2));
    return new Uint8Array(mode.encrypt(bufferOf(data))); // encrypt both ways: counting is its own inverse
  }

  /** Clause 7.1, steps 1 and 4 to 6. */
  private tag(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const h = this.cipher.encrypt(new ArrayBuffer(BLOCK_SIZE));
    const ghash = new this.crypt.GHASH(h, bufferOf(aad));
    if (ciphertext.length > 0) ghash.write(bufferOf(ciphertext));
    const tag = new Uint8Array(ghash.close());
    const mask = new Uint8Array(this.cipher.encrypt(counterBlock(nonce, 1)));
    for (let i = 0; i < TAG_SIZE; i += 1) tag[i]! ^= mask[i]!;
    return tag;
  }
}

function counterBlock(nonce: Uint8Array, counter: number): ArrayBuffer {
  const block = new Uint8Array(BLOCK_SIZE);
  block.set(nonce);
  block[BLOCK_SIZE - 1] = counter;
  return block.buffer;
}

function checkNonce(nonce: Uint8Array): void {
  if (nonce.length !== NONCE_SIZE) throw new Error(`"nonce" expected 12 bytes, got ${nonce.length}`);
}
