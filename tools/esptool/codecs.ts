// What the flasher cannot do itself without knowing where it runs: Node and browsers have their own.

export interface Codecs {
  /** A zlib stream, as small as possible. */
  deflate(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** 32 lower-case hex digits. */
  md5(bytes: Uint8Array): string | Promise<string>;
}
