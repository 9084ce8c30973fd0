// Where firmware runs in Node: the engine's two functions of Curve25519, over node:crypto.

import { crypto } from "../../host/crypto.js";

export const nodeCurve25519 = {
  /** Without a point: the public key. */
  x25519: (secret: Uint8Array, point?: Uint8Array): ArrayBuffer => {
    const result = point === undefined ? crypto.x25519Public(secret) : crypto.x25519(secret, point);
    return Uint8Array.from(result).buffer;
  },
  ed25519Verify: crypto.ed25519Verify,
};
