// What devices call: joining and the sealed round trip (PROTOCOL, 1 and 2).

import type { FastifyInstance } from "fastify";
import { MAX_JOIN_BODY } from "../../firmware/protocol/join.js";
import { MAX_ID, MAX_PLAINTEXT, sealedLength } from "../../firmware/protocol/sealed.js";
import type { JoinService } from "../join.js";
import type { SyncService } from "../sync.js";

const MAX_SYNC_BODY = sealedLength(MAX_ID + 11, false, MAX_PLAINTEXT);

/** One answer for everybody who cannot seal: it tells nothing, and devices do nothing because of it but wait. */
const UNAUTHENTICATED = Buffer.from('{"error":"sync-unauthenticated"}');

export function deviceRoutes(
  app: FastifyInstance,
  services: { joins: JoinService; syncs: SyncService },
): void {
  void app.register(async (raw) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

    raw.post("/api/join", { bodyLimit: MAX_JOIN_BODY }, async (request, reply) => {
      const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
      const m2 = await services.joins.answer(new Uint8Array(body));
      return reply.type("application/json").send(Buffer.from(m2));
    });

    raw.post<{ Params: { id: string } }>(
      "/api/devices/:id/sync",
      { bodyLimit: MAX_SYNC_BODY },
      async (request, reply) => {
        const { socket } = request.raw;
        const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
        const sealed = await services.syncs.handle(request.params.id, new Uint8Array(body), {
          address: socket.remoteAddress?.replace(/^::ffff:/, "") ?? "",
          onClose: (listener) => reply.raw.once("close", listener),
        });
        if (!sealed) return reply.code(401).type("application/json").send(UNAUTHENTICATED);
        return reply.type("application/jose").send(Buffer.from(sealed));
      },
    );
  });
}
