// The part of Moddable's `crypt` module (modules/crypt/digest of SDK 8.2.3) that the firmware uses. The SDK types only `Digest`,
// npm's typings nothing of it: crypto.ts imports the module and casts it to this.

export interface SdkDigest {
  /** After a GHASH's first write of other than a multiple of 16 bytes nothing may follow: it pads each write. */
  write(data: ArrayBuffer | Uint8Array): void;
  close(): ArrayBuffer;
}

export interface SdkBlockCipher {
  /** Exactly one block. Takes ArrayBuffers alone: a view would be refused. */
  encrypt(block: ArrayBuffer): ArrayBuffer;
}

export interface SdkMode {
  encrypt(data: ArrayBuffer): ArrayBuffer;
  decrypt(data: ArrayBuffer): ArrayBuffer;
}

/** Keys, initialisation vectors and additional data are ArrayBuffers; a view's own buffer may be larger than the view. */
export interface CryptModule {
  readonly Digest: new (type: "SHA256") => SdkDigest;
  readonly GHASH: new (h: ArrayBuffer, aad: ArrayBuffer) => SdkDigest;
  readonly BlockCipher: new (name: "AES", key: ArrayBuffer) => SdkBlockCipher;
  readonly Mode: new (mode: "CBC" | "CTR", cipher: SdkBlockCipher, iv: ArrayBuffer) => SdkMode;
}
