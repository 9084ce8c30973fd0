// Release files for devices: /fw/<sha256>.{bin,list,jws}, with ranges (RFC 9110, 14), cacheable for ever.

import type { FastifyInstance, FastifyReply } from "fastify";
import { createReadStream } from "node:fs";
import { isHexDigest } from "../../firmware/protocol/hex.js";
import { HostError, notFound } from "../error.js";
import type { FileKind, Files } from "../files.js";
import type { Store } from "../store/store.js";

const TYPES: Record<FileKind, string> = {
  bin: "application/octet-stream",
  list: "application/octet-stream",
  jws: "application/jose",
};

type Range = [first: number, last: number];

/** One range of bytes as RFC 9110, 14.1.2 spells it; undefined where the header is to be ignored. Throws 416. */
export function parseRange(header: string | undefined, size: number): Range | undefined {
  const match = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from, to] = match as unknown as [string, string, string];
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  if (from !== "" && to !== "" && Number(to) < first) return undefined;
  if (first > last)
    throw new HostError(
      416,
      "range-not-satisfiable",
      `the file has ${size} bytes`,
      "Ask for bytes within it.",
    );
  return [first, last];
}

/** A withdrawn release's files are gone, unless another release has the same ones. */
async function isReleased(store: Store, sha256: string, kind: FileKind): Promise<boolean> {
  const column = { bin: "sha256", list: "list", jws: "manifest" } as const;
  return (await store.listReleases()).some(
    (release) => !release.withdrawn && release[column[kind]] === sha256,
  );
}

export function firmwareRoutes(app: FastifyInstance, { files, store }: { files: Files; store: Store }): void {
  const send = async (
    name: string,
    range: string | undefined,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const [sha256, kind] = name.split(".") as [string, FileKind];
    const isName = isHexDigest(sha256) && Object.hasOwn(TYPES, kind) && name === `${sha256}.${kind}`;
    const size =
      isName && (await isReleased(store, sha256, kind)) ? await files.size(sha256, kind) : undefined;
    if (size === undefined) throw notFound("that file");
    let bounds: Range | undefined;
    try {
      bounds = parseRange(range, size);
    } catch (error) {
      void reply.header("content-range", `bytes */${size}`);
      throw error;
    }
    const [first, last] = bounds ?? [0, size - 1];
    void reply.headers({
      "accept-ranges": "bytes",
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": last - first + 1,
      etag: `"${sha256}"`,
    });
    if (bounds) void reply.code(206).header("content-range", `bytes ${first}-${last}/${size}`);
    const stream = createReadStream(files.path(sha256, kind), { start: first, end: last });
    return reply.type(TYPES[kind]).send(stream);
  };
  app.get<{ Params: { name: string } }>("/fw/:name", { exposeHeadRoute: false }, (request, reply) =>
    send(request.params.name, request.headers.range, reply),
  );
}
