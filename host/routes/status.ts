// What the server says of itself: greeting, health, readiness, figures, its public key.

import type { FastifyInstance } from "fastify";
import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import { HostError } from "../error.js";
import type { Holds } from "../holds.js";
import type { Keyring } from "../keyring.js";
import type { Metrics } from "../metrics.js";
import type { Presence } from "../presence.js";
import type { Store } from "../store/store.js";

interface Services {
  store: Store;
  metrics: Metrics;
  holds: Holds;
  presence: Presence;
  keyring: Keyring;
  deviceUrl: () => string;
}

/** For anybody: nothing here is secret. */
export function openStatusRoutes(app: FastifyInstance, { store }: Pick<Services, "store">): void {
  app.get("/api/", async () => ({ message: "Broome" }));
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async () => {
    if (!(await store.ready().catch(() => false)))
      throw new HostError(503, "not-ready", "the database does not answer", "See the server's log.");
    return { status: "ok" };
  });
}

/** For the admin. */
export function statusRoutes(app: FastifyInstance, services: Services): void {
  const { metrics, holds, presence, keyring, deviceUrl } = services;
  app.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(
      metrics.text({
        broome_devices_online: presence.size,
        broome_holds_open: holds.size,
        process_resident_memory_bytes: process.memoryUsage.rss(),
      }),
    ),
  );
  app.get("/api/server", async () => ({
    publicKey: encodeBase64url(keyring.server.publicKey),
    pin: keyring.pin,
    deviceUrl: deviceUrl(),
  }));
}
