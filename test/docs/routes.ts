// The routes that the server registers, by listener, without starting it.

import type { FastifyInstance } from "fastify";
import { newListener } from "../../host/listener.js";
import { blynkRoutes } from "../../host/routes/blynk.js";
import { deviceRoutes } from "../../host/routes/device.js";
import { deviceAdminRoutes } from "../../host/routes/devices.js";
import { eventRoutes } from "../../host/routes/events.js";
import { firmwareRoutes } from "../../host/routes/firmware.js";
import { joinKeyRoutes } from "../../host/routes/join-keys.js";
import { describeApi } from "../../host/routes/openapi.js";
import { releaseRoutes } from "../../host/routes/releases.js";
import { sessionRoutes } from "../../host/routes/session.js";
import { openStatusRoutes, statusRoutes } from "../../host/routes/status.js";

/** Nothing is called, so nothing has to be there. */
const nothing = { events: { subscribe: () => () => undefined } } as never;

async function routesOf(register: (app: FastifyInstance) => unknown): Promise<string[]> {
  const app = newListener({ hosts: [], log: () => undefined });
  const routes: string[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    for (const name of [method].flat()) if (name !== "HEAD") routes.push(`${name} ${url}`);
  });
  await register(app);
  await app.ready();
  await app.close();
  return routes;
}

/** What devices and holders of tokens reach. */
export function publicRoutes(): Promise<string[]> {
  return routesOf((app) => {
    deviceRoutes(app, nothing);
    firmwareRoutes(app, nothing);
    blynkRoutes(app, nothing);
  });
}

/** What the admin listener has besides the page and the compatible routes. */
export function adminRoutes(): Promise<string[]> {
  return routesOf(async (app) => {
    await describeApi(app);
    openStatusRoutes(app, nothing);
    sessionRoutes(app, nothing, Date.now);
    statusRoutes(app, nothing);
    deviceAdminRoutes(app, nothing);
    joinKeyRoutes(app, nothing);
    releaseRoutes(app, nothing);
    eventRoutes(app, nothing);
  });
}
