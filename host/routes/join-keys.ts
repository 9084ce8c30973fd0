// The admin API on join keys: made here, shown once, revoked at any time.

import type { FastifyInstance } from "fastify";
import type { Crypto } from "../../firmware/protocol/crypto.js";
import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import { formatJoinKey } from "../../firmware/protocol/join.js";
import { notFound } from "../error.js";
import type { Keyring } from "../keyring.js";
import type { JoinKey, Store } from "../store/store.js";

interface Services {
  store: Store;
  keyring: Keyring;
  crypto: Crypto;
  now: () => number;
}

interface NewKey {
  label?: string;
  /** ms since 1970. */
  expires?: number;
  uses?: number;
}

const create = {
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      label: { type: "string", maxLength: 64 },
      expires: { type: "integer", minimum: 1 },
      uses: { type: "integer", minimum: 1, maximum: 1_000_000 },
    },
  },
};

function shown({ wrappedSecret: _, ...rest }: JoinKey): Omit<JoinKey, "wrappedSecret"> {
  return rest;
}

/** A kid that no command line takes for an option. */
function newKid(crypto: Crypto): string {
  for (;;) {
    const kid = encodeBase64url(crypto.random(6));
    if (!kid.startsWith("-")) return kid;
  }
}

export function joinKeyRoutes(app: FastifyInstance, { store, keyring, crypto, now }: Services): void {
  app.get("/api/join-keys", async () => (await store.listJoinKeys()).map(shown));

  app.post<{ Body: NewKey }>("/api/join-keys", { schema: create }, async (request, reply) => {
    const { label = "", expires, uses } = request.body;
    const kid = newKid(crypto);
    const secret = crypto.random(16);
    const key: JoinKey = {
      ...{
        kid,
        label,
        created: now(),
        expires: expires ?? null,
        uses: uses ?? null,
        used: 0,
        revoked: false,
      },
      wrappedSecret: keyring.wrapJoinSecret(kid, secret),
    };
    await store.addJoinKey(key);
    return reply.code(201).send({ ...shown(key), key: formatJoinKey({ kid, secret }) });
  });

  app.delete<{ Params: { kid: string } }>("/api/join-keys/:kid", async (request, reply) => {
    if (!(await store.revokeJoinKey(request.params.kid))) throw notFound(`join key ${request.params.kid}`);
    return reply.code(204).send();
  });
}
