// The hash seam: formats need SHA-256 but do not bring it; Node, browser and board each pass in their own.

/** An incremental hash. `digest` ends it; using it afterwards is an error. */
export interface Hash {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Starts a SHA-256 (FIPS 180-4). */
export type Sha256 = () => Hash;
