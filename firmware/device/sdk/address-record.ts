// What the boards' C hands over of DHCP's answer: five IPv4 addresses in the order of the network: the board's own, mask,
// gateway, two name servers (zero where there is none).

import type { Address } from "../types.js";

export const ADDRESS_RECORD_SIZE = 20; // bytes

/** Throws where the record has another size. */
export function addressOf(record: Uint8Array): Address {
  if (record.length !== ADDRESS_RECORD_SIZE)
    throw new Error(`an address record expected ${ADDRESS_RECORD_SIZE} bytes, got ${record.length}`);
  const [address, mask, gateway, ...dns] = [0, 4, 8, 12, 16].map((at) => dotted(record.subarray(at, at + 4)));
  return {
    address: address!,
    mask: mask!,
    gateway: gateway!,
    dns: dns.filter((server) => server !== "0.0.0.0"),
  };
}

function dotted(bytes: Uint8Array): string {
  return bytes.join(".");
}
