// `device/crypto` of the ESP8266: the SDK's digests and AES, our own curves, the chip's random numbers with the radio on.

import { cryptoOver } from "../sdk/crypto.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

export default cryptoOver(
  (length) => new Uint8Array(native("xs_broome_random").call(undefined, length) as ArrayBuffer),
);
