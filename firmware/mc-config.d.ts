// The module `mc/config`: what the build knows about this image (manifest "config" and the build's options).

declare module "mc/config" {
  const config: {
    /** Update manifests for another product are refused. */
    readonly product: string;
    /** Semver, at most 31 bytes; the same as in the app descriptor. */
    readonly version: string;
    /** "esp32c3". */
    readonly chip: string;
    /** Name of the partition layout: an update for another layout is refused. */
    readonly layout: string;
    /** Security counter; the app descriptor's secure_version. */
    readonly sc: number;
    /** Ed25519 keys that may sign updates: [key id, base64url public key]. Empty: updates are off. */
    readonly updateKeys: readonly (readonly [string, string])[];
    /** In place of the pin of every server address; for tests of an image that must not get through. */
    readonly serverPin?: string;
  };
  export default config;
}
