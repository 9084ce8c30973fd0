// MAC addresses of virtual boards: locally administered (IEEE 802 8.2), so that none is taken for a real board.

import { createHash, randomBytes } from "node:crypto";
import { BroomeError } from "../error.js";

/** The same name gives the same address; without a name it is random. */
export function virtualMac(name: string | undefined): Uint8Array {
  const bytes =
    name === undefined ? randomBytes(6) : createHash("sha256").update(name).digest().subarray(0, 6);
  return Uint8Array.from(bytes, (byte, index) => (index === 0 ? 0x02 : byte));
}

/** @throws BroomeError `mac-invalid` */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    throw new BroomeError("mac-invalid", `"${text}" is no MAC address`, "Write it as 02:00:00:00:00:01.");
  const mac = Uint8Array.from(text.split(/[:-]/), (byte) => parseInt(byte, 16));
  if ((mac[0]! & 0x03) !== 0x02)
    throw new BroomeError(
      "mac-invalid",
      `${text} is not locally administered: it could belong to a real board`,
      "Let the first byte be 02.",
    );
  return mac;
}

/** The address of the n-th board of a simulation whose first one has `mac`. */
export function nextMac(mac: Uint8Array, n: number): Uint8Array {
  const next = mac.slice();
  const view = new DataView(next.buffer);
  view.setUint32(2, (view.getUint32(2) + n) >>> 0);
  return next;
}
