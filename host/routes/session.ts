// The page's login: the admin token once, a session cookie from then on.

import type { FastifyInstance } from "fastify";
import type { AdminAuth } from "../admin-auth.js";
import { HostError } from "../error.js";

/** Tries a minute, from anywhere: the token has 128 bits, this only keeps the log short. */
const TRIES_A_MINUTE = 30;

const login = {
  body: {
    type: "object",
    additionalProperties: false,
    properties: { token: { type: "string", maxLength: 64 } },
    required: ["token"],
  },
};

export function sessionRoutes(app: FastifyInstance, auth: AdminAuth, now: () => number): void {
  let minute = 0;
  let tries = 0;
  app.post<{ Body: { token: string } }>("/api/login", { schema: login }, async (request, reply) => {
    const current = Math.floor(now() / 60_000);
    tries = current === minute ? tries + 1 : 1;
    minute = current;
    if (tries > TRIES_A_MINUTE)
      throw new HostError(429, "too-many-logins", "too many logins in a minute", "Wait a minute.");
    await auth.logIn(request.body.token.trim(), reply);
    return reply.send({ message: "logged in" });
  });
  app.post("/api/logout", async (request, reply) => {
    await auth.logOut(request, reply);
    return reply.send({ message: "logged out" });
  });
}
