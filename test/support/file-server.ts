// A static web host for release files that answers ranges, and lets a test change any answer before it leaves.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SignedRelease } from "../../tools/release/publish.js";
import { createHash } from "node:crypto";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Changes an answer: what kind of file was asked for, and how many requests for that kind came before. */
export type Tamper = (kind: "jws" | "list" | "bin", answer: Answer, before: number) => void;

export interface FileServer {
  port: number;
  tamper: Tamper | undefined;
  requests: string[]; // paths, in order
  add(...releases: SignedRelease[]): void;
  close(): Promise<void>;
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function fileServer(): Promise<FileServer> {
  const files = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const path = request.url!;
    const kind = path.split(".").at(-1) as "jws" | "list" | "bin";
    const before = self.requests.filter((other) => other.endsWith(kind)).length;
    self.requests.push(path);
    const answer = answerTo(files.get(path), request.headers.range);
    self.tamper?.(kind, answer, before);
    response.writeHead(answer.status, { "content-length": answer.body.length, ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: FileServer = {
    port: (server.address() as AddressInfo).port,
    tamper: undefined,
    requests: [],
    add(...releases) {
      for (const { image, list, file } of releases)
        for (const [bytes, kind] of [
          [image, "bin"],
          [list, "list"],
          [file, "jws"],
        ] as const)
          files.set(`/fw/${digestOf(bytes)}.${kind}`, bytes);
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}

function answerTo(file: Uint8Array | undefined, range: string | undefined): Answer {
  if (!file) return { status: 404, headers: {}, body: new Uint8Array(0) };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (!first) return { status: 200, headers: {}, body: file.slice() };
  const headers = { "content-range": `bytes ${first}-${last}/${file.length}` };
  return { status: 206, headers, body: file.slice(Number(first), Number(last) + 1) };
}
