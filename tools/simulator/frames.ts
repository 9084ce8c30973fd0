// Datagrams as frames of the air: what a chip that is in no network can see of them is who sent them, and how long they are.

import type { Beacon } from "./air.js";
import type { Security } from "./world.js";

/** A datagram to all, as the access point sends it on. */
export interface Frame {
  readonly beacon: Beacon;
  /** Who sent it to the access point: its MAC, or what stands for it. */
  readonly sender: string;
  /** Bytes from the MAC header to the end of the body. */
  readonly length: number;
  /** How the sender is told; undefined where nobody waits. */
  readonly answer: Answer | undefined;
}

/** The sender's way to hear from a device. `port` and `packet` are UDP's; `address` is where v1 said that it waits. */
export type Answer = (packet: Uint8Array, port: number, address: Uint8Array | undefined) => void;

/** MAC header, LLC and SNAP, IPv4 and UDP headers (IEEE 802.11-2020 9.3.2.1, 802.2, RFC 791, RFC 768). In bytes. */
const HEADERS = 24 + 8 + 20 + 8;
/** What a cipher adds (IEEE 802.11-2020 12.3.2, 12.5.2, 12.5.3): IV and ICV; IV, MIC and ICV; header and MIC. In bytes. */
const CIPHER: Record<Security, number> = { open: 0, wep: 4 + 4, wpa: 8 + 8 + 4, wpa2: 8 + 8, wpa3: 8 + 8 };

/** Length of the frame that carries a UDP datagram with `payload` bytes. */
export function frameLength(payload: number, security: Security): number {
  return HEADERS + CIPHER[security] + payload;
}
