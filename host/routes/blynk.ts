// Pins in the URL form of Blynk's HTTPS API (docs.blynk.io, "Device HTTPS API"), with the project's own tokens.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { checkValue, OTA_TRIGGER_PIN, parsePin, type PinService } from "../pins.js";
import type { Presence } from "../presence.js";
import type { Scope, Store, Token } from "../store/store.js";
import { hashToken, TOKEN_PATTERN } from "../tokens.js";

type Query = Record<string, unknown>;

interface Services {
  store: Store;
  pins: PinService;
  presence: Presence;
}

/** An answer in Blynk's own form. */
class BlynkError extends Error {
  readonly status: number;
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

function tokenOf(request: FastifyRequest): string {
  const { token } = request.query as Query;
  if (token !== undefined) return typeof token === "string" ? token : "";
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

async function authenticate(store: Store, request: FastifyRequest, scope: Scope): Promise<Token> {
  const text = tokenOf(request);
  const token = TOKEN_PATTERN.test(text) ? await store.findToken(hashToken(text)) : undefined;
  const device = token && (await store.getDevice(token.deviceid));
  if (!token || device?.state !== "approved") throw new BlynkError("Invalid token.");
  if (!token.scopes.includes(scope)) throw new BlynkError(`This token has no scope "${scope}".`, 403);
  return token;
}

function pinOf(name: string): number {
  try {
    return parsePin(name);
  } catch {
    throw new BlynkError("Wrong pin format.");
  }
}

/** `v1=100` or `pin=v1&value=100`; several of the first form where the route takes them. */
function wishes(query: Query): { pin: number; value: string }[] {
  const { token: _, pin, value, ...rest } = query;
  const pairs = pin === undefined ? Object.entries(rest) : [[String(pin), value] as const];
  return pairs.map(([name, text]) => {
    if (typeof text !== "string") throw new BlynkError("Value is missing.");
    return { pin: pinOf(name), value: checkValue(text) };
  });
}

/** A browser that loads links in advance must not switch anything. */
function refusePrefetch(request: FastifyRequest): void {
  const { "sec-purpose": purpose, purpose: older } = request.headers;
  if (/prefetch/i.test(`${String(purpose)} ${String(older)}`))
    throw new BlynkError("Not by prefetching.", 403);
}

export function blynkRoutes(app: FastifyInstance, { store, pins, presence }: Services): void {
  const update = async (
    request: FastifyRequest,
    reply: FastifyReply,
    most: number,
  ): Promise<FastifyReply> => {
    refusePrefetch(request);
    const token = await authenticate(store, request, "pins");
    const values = wishes(request.query as Query);
    if (values.length === 0 || values.length > most) throw new BlynkError("Wrong pin format.");
    if (values.some(({ pin }) => pin === OTA_TRIGGER_PIN) && !token.scopes.includes("ota"))
      throw new BlynkError('Raising V100 needs a token with the scope "ota".', 403);
    await pins.set(token.deviceid, values);
    return reply.code(200).send();
  };

  const get = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { deviceid } = await authenticate(store, request, "read");
    const { token: _, pin, ...rest } = request.query as Query;
    const names = pin === undefined ? Object.keys(rest) : [String(pin)];
    if (names.length === 0 || names.length > 32) throw new BlynkError("Wrong pin format.");
    const values: Record<string, string> = {};
    for (const name of names) {
      const value = await pins.get(deviceid, pinOf(name));
      if (value === undefined) throw new BlynkError("Requested pin has no value yet.");
      values[name] = value.value;
    }
    if (names.length > 1) return reply.send(values);
    return reply.type("text/plain; charset=utf-8").send(values[names[0]!]);
  };

  void app.register(
    async (api) => {
      api.setErrorHandler((error: Error & { status?: number; statusCode?: number }, request, reply) => {
        const status = error.status ?? error.statusCode ?? 500;
        if (status >= 500) return api.errorHandler(error as never, request, reply);
        return reply.code(status).send({ error: { message: error.message } });
      });
      api.get("/update", { exposeHeadRoute: false }, (request, reply) => update(request, reply, 1));
      api.get("/batch/update", { exposeHeadRoute: false }, (request, reply) => update(request, reply, 32));
      api.get("/get", { exposeHeadRoute: false }, get);
      api.get("/isHardwareConnected", { exposeHeadRoute: false }, async (request, reply) => {
        const { deviceid } = await authenticate(store, request, "read");
        return reply.send(presence.isOnline(deviceid));
      });
    },
    { prefix: "/external/api" },
  );
}
