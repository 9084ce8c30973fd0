// Real datagrams on this computer's loopback become frames of the virtual air, so that `broome smartconfig` reaches virtual boards.

import { createSocket, type Socket } from "node:dgram";
import { DEVICE_PORT } from "../smartconfig/credentials.js";
import type { Air } from "./air.js";

/** The loopback's broadcast address: every simulation on this computer hears it, and nobody else does. */
export const LOOPBACK_BROADCAST = "127.255.255.255";

/**
 * Listens until the returned function is called; the datagrams go through the world's first access point. Answers go back to where
 * the datagrams came from, and nowhere else. `note` hears why where this computer has no such address.
 */
export function hearLoopback(air: Air, note: (line: string) => void): () => void {
  const socket: Socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("error", (error) => {
    note(`ESP-Touch from this computer is not heard: ${error.message}`);
    socket.close();
  });
  socket.on("message", (message, { address, port }) => {
    const through = air.beacons()[0];
    if (!through || !address.startsWith("127.")) return;
    air.carry(through.ssid, `${address}:${port}`, message.length, (packet, answerPort) => {
      socket.send(packet, answerPort, address, () => undefined); // a sender that has gone hears nothing
    });
  });
  socket.bind(DEVICE_PORT, LOOPBACK_BROADCAST);
  socket.unref();
  let open = true;
  socket.once("close", () => (open = false));
  return () => {
    if (open) socket.close();
  };
}
