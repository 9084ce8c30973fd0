// One HTTP listener: bounds, headers and the Host check that both listeners share.

import Fastify, { type FastifyInstance } from "fastify";
import { networkInterfaces, hostname } from "node:os";
import { HostError, notFound } from "./error.js";
import { logLine, sendProblem } from "./problem.js";

/** Nobody may take longer to send a request. */
const REQUEST_TIMEOUT_MS = 20_000;
/** A device may keep its connection over a hold. */
const KEEP_ALIVE_MS = 65_000;
const MAX_CONNECTIONS = 10_000;
const BODY_LIMIT = 64 * 1024;
const MAX_PARAMETER = 200;

export interface ListenerOptions {
  /** Names and addresses by which the listener may be called, besides those of this machine. */
  hosts: readonly string[];
  log: (line: string) => void;
}

/** `[::1]:3000` -> `[::1]`, `Name:3000` -> `name`; undefined where it is no host. */
export function hostOf(header: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/.exec((header ?? "").toLowerCase())?.[1];
}

/** Asking the system costs more than answering a request: so not at every one. */
const OWN_HOSTS_MS = 5_000;

/** This machine's own names and addresses, as they are at most OWN_HOSTS_MS ago. */
function ownHostsWatch(): () => Set<string> {
  let known = new Set<string>();
  let asked = -Infinity;
  return () => {
    if (performance.now() - asked > OWN_HOSTS_MS) {
      known = ownHosts();
      asked = performance.now();
    }
    return known;
  };
}

function ownHosts(): Set<string> {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .map((entry) => (entry!.family === "IPv6" ? `[${entry!.address}]` : entry!.address));
  const name = hostname().toLowerCase();
  return new Set(["localhost", "127.0.0.1", "[::1]", name, `${name}.local`, ...addresses]);
}

/**
 * A web page elsewhere can make its own name point here (DNS rebinding): so a request has to name a host that is ours.
 * Forwarded headers are not read at all.
 */
export function newListener({ hosts, log }: ListenerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: true,
        allowUnionTypes: true,
      },
    },
    return503OnClosing: true,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const own = ownHostsWatch();
  const extra = new Set(hosts.map((host) => host.toLowerCase()));
  app.addHook("onRequest", async (request, reply) => {
    void reply.headers({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    const host = hostOf(request.headers.host);
    if (host === undefined || !(extra.has(host) || own().has(host)))
      throw new HostError(
        421,
        "wrong-host",
        "this server does not go by that name",
        "Call it by the URL that it printed at its start, or start it with --allow-host NAME.",
      );
  });
  app.setErrorHandler((error: Error, request, reply) => {
    const status =
      "statusCode" in error ? Number(error.statusCode) : error instanceof HostError ? error.status : 500;
    if (status >= 500 && !("help" in error && status !== 500)) log(logLine(error, request));
    return sendProblem(error, reply);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(notFound("that path"), reply));
  return app;
}

/** Listens; resolves to the port. Throws HostError `port-busy`. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL")
      throw new HostError(
        500,
        code === "EACCES" ? "port-permission" : "port-busy",
        `cannot listen on ${host}:${port} (${code})`,
        "Choose another with --port, --admin-port or --host; 0 takes a free port.",
        { cause: error },
      );
    throw error;
  }
  return (app.server.address() as { port: number }).port;
}
