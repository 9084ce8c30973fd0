// A TCP server on loopback that answers each connection as the test says, byte by byte if need be.

import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface HostileServer {
  port: number;
  /** What each connection sent so far, in order of arrival. */
  received: string[];
  connections(): number;
  close(): Promise<void>;
}

/** `answer` is called once per complete request head, with the connection's socket and how many requests came on it before. */
export async function hostileServer(
  answer: (socket: Socket, request: string, index: number) => void,
): Promise<HostileServer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    const slot = count++;
    received[slot] = "";
    sockets.add(socket);
    let from = 0;
    let index = 0;
    socket.on("error", () => {}); // the client hangs up when it has seen enough
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      received[slot] += bytes.toString("latin1");
      for (;;) {
        const end = requestEnd(received[slot]!, from);
        if (end < 0) return;
        const request = received[slot]!.slice(from, end);
        from = end;
        answer(socket, request, index++);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connections: () => count,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Where the request that begins at `from` ends, or -1 while it is incomplete. */
function requestEnd(text: string, from: number): number {
  const head = text.indexOf("\r\n\r\n", from);
  if (head < 0) return -1;
  const length = /content-length: (\d+)/i.exec(text.slice(from, head));
  const end = head + 4 + Number(length?.[1] ?? 0);
  return text.length < end ? -1 : end;
}
