// A server on loopback that the test answers for, and the device's own HTTP client at its address.

import type { ExecutionContext } from "ava";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpClient } from "../../firmware/link/http.js";
import { resolve, tcp, timer } from "./node-device.js";

type Answer = (req: IncomingMessage, res: ServerResponse, body: Uint8Array) => void;

/** `answer` gets each request with its whole body. It is closed with the test. */
export async function serveSite(
  t: ExecutionContext,
  answer: Answer,
): Promise<{ server: Server; port: number }> {
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part) => parts.push(part));
    req.on("end", () => answer(req, res, new Uint8Array(Buffer.concat(parts))));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** A client at such a server's address, closed with the test. */
export async function openSite(t: ExecutionContext, answer: Answer): Promise<HttpClient> {
  const { port } = await serveSite(t, answer);
  const http = new HttpClient({ tcp, resolve, timer, host: "127.0.0.1", port });
  t.teardown(() => http.close());
  return http;
}
