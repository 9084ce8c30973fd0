// The admin API on releases: taken in whole, listed, withdrawn.

import type { FastifyInstance } from "fastify";
import { badRequest } from "../error.js";
import type { Holds } from "../holds.js";
import type { ReleaseService } from "../releases.js";
import type { Store } from "../store/store.js";

/** The largest slot of a 16 MB flash, in base64, with its list and manifest. */
const MAX_UPLOAD = 24 * 1024 * 1024;

interface Services {
  store: Store;
  releases: ReleaseService;
  holds: Holds;
}

const part = { type: "string", pattern: "^[A-Za-z0-9+/]+={0,2}$" };
const upload = {
  body: {
    type: "object",
    additionalProperties: false,
    properties: { image: part, list: part, manifest: { type: "string", maxLength: 1500 } },
    required: ["image", "list", "manifest"],
  },
};

function bytesOf(base64: string, name: string): Uint8Array {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) throw badRequest(`${name} is not base64`);
  return new Uint8Array(bytes);
}

export function releaseRoutes(app: FastifyInstance, { store, releases, holds }: Services): void {
  app.get("/api/releases", () => store.listReleases());

  app.post<{ Body: { image: string; list: string; manifest: string } }>(
    "/api/releases",
    { bodyLimit: MAX_UPLOAD, schema: upload },
    async (request, reply) => {
      const { image, list, manifest } = request.body;
      const release = await releases.add({
        image: bytesOf(image, "image"),
        list: bytesOf(list, "list"),
        manifest: new Uint8Array(Buffer.from(manifest, "latin1")),
      });
      return reply.code(201).send(release);
    },
  );

  app.post<{ Params: { name: string } }>("/api/releases/:name/withdraw", async (request) => {
    const release = await releases.find(request.params.name);
    const offered = (await store.withdrawRelease(release.manifest)) ?? [];
    for (const id of offered) holds.wake(id);
    return { ...release, withdrawn: true };
  });
}
