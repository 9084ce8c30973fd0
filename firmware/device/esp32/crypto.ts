// `device/crypto` of the ESP32: the SDK's digests and AES, our own curves, the chip's random numbers with the radio on.

import { cryptoOver } from "../sdk/crypto.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

function random(this: unknown, length: number): ArrayBuffer {
  return native("xs_broome_random").call(this, length) as ArrayBuffer;
}

export default cryptoOver((length) => new Uint8Array(random(length)));
