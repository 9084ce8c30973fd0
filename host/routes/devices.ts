// The admin API on devices (CONTRACT, "HTTP").

import type { FastifyInstance } from "fastify";
import { notFound } from "../error.js";
import { deviceView } from "../device-view.js";
import type { Approval, DeviceService } from "../devices.js";
import { OTA_TRIGGER_PIN, parsePin, type PinService } from "../pins.js";
import type { Presence } from "../presence.js";
import type { DeviceEdit, DeviceState, Scope, Store } from "../store/store.js";
import type { SyncService } from "../sync.js";

interface Services {
  store: Store;
  devices: DeviceService;
  pins: PinService;
  presence: Presence;
  syncs: SyncService;
}

interface ById {
  Params: { id: string };
}

const STATES: DeviceState[] = ["pending", "approved", "denied", "blocked", "replaced"];
const SCOPES: Scope[] = ["read", "pins", "ota"];
const text = (maxLength: number) => ({ type: "string", maxLength });

const object = (properties: object, required: string[] = []) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required,
});

const schemas = {
  list: { querystring: object({ state: { enum: STATES } }) },
  register: { body: object({ name: text(64) }) },
  edit: {
    body: object({
      name: text(64),
      location: text(200),
      notes: text(4000),
      flags: { type: "integer", minimum: 0, maximum: 0xffffffff },
      tags: { type: "array", maxItems: 32, items: text(64) },
    }),
  },
  approve: {
    body: object({
      code: { type: "string", pattern: "^[0-9]{6}$" },
      withoutCode: { const: true },
      name: text(64),
    }),
  },
  token: {
    body: object({
      scopes: { type: "array", minItems: 1, uniqueItems: true, items: { enum: SCOPES } },
      label: text(64),
    }),
  },
  pin: { body: object({ value: { type: ["string", "number", "boolean"] } }, ["value"]) },
  ota: {
    body: object({ version: text(31), down: { type: "boolean" }, again: { type: "boolean" } }),
  },
};

/** How many rows a list gives: `?limit=`, 100 where it is absent, 1000 at most. */
function limitOf(query: unknown): number {
  const limit = Number((query as { limit?: string }).limit ?? 100);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, 1000) : 100;
}

export function deviceAdminRoutes(app: FastifyInstance, services: Services): void {
  const { store, devices, pins, presence, syncs } = services;
  const view = (device: Parameters<typeof deviceView>[0]) => deviceView(device, presence, syncs);

  app.get<{ Querystring: { state?: DeviceState } }>(
    "/api/devices",
    { schema: schemas.list },
    async (request) => (await store.listDevices(request.query.state)).map(view),
  );
  app.post<{ Body: { name?: string } }>(
    "/api/devices",
    { schema: schemas.register },
    async (request, reply) => reply.code(201).send(await devices.register(request.body.name ?? "")),
  );
  app.get<ById>("/api/devices/:id", async (request) => view(await devices.get(request.params.id)));
  app.put<ById & { Body: DeviceEdit }>("/api/devices/:id", { schema: schemas.edit }, async (request) =>
    view(await devices.edit(request.params.id, request.body)),
  );
  app.post<ById & { Body: Approval }>(
    "/api/devices/:id/approve",
    { schema: schemas.approve },
    async (request) => view(await devices.approve(request.params.id, request.body)),
  );
  app.post<ById>("/api/devices/:id/deny", async (request) => view(await devices.deny(request.params.id)));
  app.post<ById>("/api/devices/:id/block", async (request) => view(await devices.block(request.params.id)));

  app.get<ById & { Querystring: { name?: string } }>("/api/devices/:id/readings", async (request) => {
    await devices.get(request.params.id);
    return store.listReadings(request.params.id, limitOf(request.query), request.query.name);
  });
  app.get<ById>("/api/devices/:id/boots", async (request) => {
    await devices.get(request.params.id);
    const boots = await store.listBoots(request.params.id, limitOf(request.query));
    return boots.map(({ entry, ...same }) => ({ ...same, ...entry }));
  });
  app.get<ById>(
    "/api/devices/:id/properties",
    async (request) => (await devices.get(request.params.id)).properties,
  );
  app.get<ById>("/api/devices/:id/config", async (request) => {
    await devices.get(request.params.id);
    return store.getConfig(request.params.id);
  });
  app.put<ById>("/api/devices/:id/config", async (request) => ({
    sn: await devices.configure(request.params.id, request.body),
  }));

  app.get<ById>("/api/devices/:id/pins", async (request) => {
    await devices.get(request.params.id);
    return (await store.listPins(request.params.id)).map(({ pin, ...values }) => ({
      pin: `V${pin}`,
      ...values,
    }));
  });
  app.put<{ Params: { id: string; pin: string }; Body: { value: string | number | boolean } }>(
    "/api/devices/:id/pins/:pin",
    { schema: schemas.pin },
    async (request) => {
      const pin = parsePin(request.params.pin);
      const [value] = await pins.set(request.params.id, [{ pin, value: String(request.body.value) }]);
      return { ...value!, pin: `V${pin}` };
    },
  );
  app.post<ById & { Body: { version?: string; down?: boolean; again?: boolean } }>(
    "/api/devices/:id/ota",
    { schema: schemas.ota },
    async (request) => {
      const { version, ...trigger } = request.body;
      await pins.set(request.params.id, [{ pin: OTA_TRIGGER_PIN, value: version ?? "1" }], trigger);
      const { offer } = await devices.get(request.params.id);
      const release = offer ? await store.getRelease(offer.manifest) : undefined;
      return { offered: release?.version ?? null, manifest: offer?.manifest ?? null };
    },
  );

  app.get<ById>("/api/devices/:id/tokens", async (request) => {
    await devices.get(request.params.id);
    return store.listTokens(request.params.id);
  });
  app.post<ById & { Body: { scopes?: Scope[]; label?: string } }>(
    "/api/devices/:id/tokens",
    { schema: schemas.token },
    async (request, reply) => {
      const { scopes = SCOPES, label = "" } = request.body;
      return reply.code(201).send(await devices.addToken(request.params.id, scopes, label));
    },
  );
  app.delete<{ Params: { id: string; tokenid: string } }>(
    "/api/devices/:id/tokens/:tokenid",
    async (request, reply) => {
      const { id, tokenid } = request.params;
      if (!(await store.removeToken(id, tokenid))) throw notFound(`token ${tokenid}`);
      return reply.code(204).send();
    },
  );
}
