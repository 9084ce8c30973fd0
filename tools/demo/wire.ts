// Sealed requests out of a capture of the air (`broome sim --capture`), and sending bytes again as they were.

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { readStreams } from "../simulator/pcap.js";

/** One HTTP request exactly as it went over the wire. */
export interface Captured {
  path: string;
  bytes: Buffer;
}

/** Cuts the HTTP/1.1 requests with Content-Length out of one direction of a connection; an unfinished last one is left. */
function requests(stream: Buffer): Captured[] {
  const found: Captured[] = [];
  for (let at = 0; ;) {
    const headEnd = stream.indexOf("\r\n\r\n", at);
    if (headEnd < 0) return found;
    const head = stream.toString("latin1", at, headEnd);
    const length = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (end > stream.length) return found;
    found.push({ path: head.split(" ")[1] ?? "", bytes: stream.subarray(at, end) });
    at = end;
  }
}

/** The sealed syncs that the device has sent, oldest first. */
export function capturedSyncs(captureFile: string): Captured[] {
  return readStreams(readFileSync(captureFile))
    .flatMap(({ bytes }) => requests(Buffer.from(bytes)))
    .filter(({ path }) => /^\/api\/devices\/[^/]+\/sync$/.test(path));
}

/** Bytes that came down to the device so far. */
export function bytesDown(captureFile: string, serverPort: number): number {
  return readStreams(readFileSync(captureFile))
    .filter(({ from }) => from.endsWith(`:${serverPort}`))
    .reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Sends bytes to a server as they are and gives the reply's status and body. */
export function sendRaw(
  target: { host: string; port: number },
  bytes: Buffer,
  timeoutMs: number,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(target, () => socket.write(bytes));
    let received = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no reply within ${timeoutMs} ms`)));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection without a reply")));
    socket.on("data", (part: Buffer) => {
      received = Buffer.concat([received, part]);
      const headEnd = received.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const head = received.toString("latin1", 0, headEnd);
      const length = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      resolve({
        status: Number(head.split(" ")[1]),
        body: received.subarray(headEnd + 4, headEnd + 4 + length),
      });
      socket.destroy();
    });
  });
}
