// A board does not wait for its listener: bytes for a client that does not read are lost, not kept without bound.

import type { Socket } from "node:net";

/** More than a whole read of a 4 MB flash waits for a slow client. */
const MAX_BACKLOG = 8 * 1024 * 1024; // bytes

export function sendOrDrop(socket: Socket, bytes: Uint8Array): void {
  if (socket.writable && socket.writableLength < MAX_BACKLOG) socket.write(bytes);
}
