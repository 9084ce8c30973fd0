// The API's description in OpenAPI (3.1.0), made from the routes' own schemas.

import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";

/** To be awaited before any route is added: it sees those that follow. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Broome",
        version: "1",
        description: "The admin API. Errors are problem details (RFC 9457) with a stable `code` and `help`.",
      },
      components: { securitySchemes: { admin: { type: "http", scheme: "bearer" } } },
      security: [{ admin: [] }],
    },
  });
  app.get("/openapi.json", { schema: { security: [] } }, async () => app.swagger());
}
