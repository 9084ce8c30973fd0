// `device/crypto` of a Linux process: the boards' own crypto over the kernel's randomness.

import { cryptoOver } from "../sdk/crypto.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

export default cryptoOver(
  (length) => new Uint8Array(native("xs_broome_random").call(undefined, length) as ArrayBuffer),
);
