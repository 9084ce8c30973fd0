// The server: puts store, keys, services and routes together behind two listeners (PROTOCOL, 0).

import { mkdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Crypto } from "../firmware/protocol/crypto.js";
import { adminAuth, prepareAdminToken, type AdminAuth } from "./admin-auth.js";
import { crypto as nodeCrypto } from "./crypto.js";
import { KeyCache } from "./device-keys.js";
import { DeviceService } from "./devices.js";
import { Events } from "./events.js";
import { Files } from "./files.js";
import { Holds } from "./holds.js";
import { JoinService } from "./join.js";
import { openKeyring } from "./keyring.js";
import { listen, newListener } from "./listener.js";
import { Metrics } from "./metrics.js";
import { PinService } from "./pins.js";
import { Presence } from "./presence.js";
import { ReleaseService } from "./releases.js";
import { blynkRoutes } from "./routes/blynk.js";
import { deviceRoutes } from "./routes/device.js";
import { deviceAdminRoutes } from "./routes/devices.js";
import { eventRoutes } from "./routes/events.js";
import { firmwareRoutes } from "./routes/firmware.js";
import { describeApi } from "./routes/openapi.js";
import { joinKeyRoutes } from "./routes/join-keys.js";
import { pageRoutes } from "./routes/page.js";
import { releaseRoutes } from "./routes/releases.js";
import { sessionRoutes } from "./routes/session.js";
import { openStatusRoutes, statusRoutes } from "./routes/status.js";
import { openSqliteStore } from "./store/sqlite.js";
import { SyncService } from "./sync.js";

const SWEEP_MS = 60_000;
/** How long a close waits for replies on their way. */
const CLOSE_MS = 1_000;

export interface ServerOptions {
  /** Path of the database file; keys, token and release files lie beside it. */
  db: string;
  /** Device listener. Port 0 takes a free one. */
  host?: string;
  port?: number;
  /** Admin listener: loopback unless told otherwise. */
  adminHost?: string;
  adminPort?: number;
  /** Names by which the listeners may be called, besides this machine's own. */
  allowHosts?: readonly string[];
  /** Folder of the page's sources; without it there is no page. */
  web?: string;
  log?: (line: string) => void;
  /** For tests. */
  now?: () => number;
  crypto?: Crypto;
}

export interface Server {
  /** Admin listener. */
  readonly url: string;
  /** What goes into devices: address of the device listener with the server's pin. */
  readonly deviceUrl: string;
  readonly pin: string;
  readonly adminTokenFile: string;
  /** Ends held replies, then both listeners, then the database. May be called twice. */
  close(): Promise<void>;
}

/** `broome.db` -> `broome`, the start of the names beside it. */
function baseOf(db: string): string {
  return db.replace(/\.(db|sqlite3?)$/, "");
}

/** An address at which others can reach a listener on every interface. */
function reachableHost(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host.includes(":") ? `[${host}]` : host;
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find((entry) => entry!.family === "IPv4" && !entry!.internal)?.address ?? "127.0.0.1";
}

async function makeServices(options: ServerOptions) {
  const { db, now = Date.now, crypto = nodeCrypto, log = () => {} } = options;
  mkdirSync(dirname(db), { recursive: true, mode: 0o700 });
  const store = openSqliteStore(db);
  const base = baseOf(db);
  const keyring = await openKeyring(crypto, store, base);
  const adminTokenFile = `${base}.admin-token`;
  await prepareAdminToken(store, adminTokenFile);
  const files = new Files(`${base}.files`);
  const events = new Events();
  const metrics = new Metrics();
  const holds = new Holds(now);
  const presence = new Presence(events, now);
  const keys = new KeyCache(store, keyring, crypto);
  const releases = new ReleaseService({ store, files, crypto, now });
  const pins = new PinService({ store, releases, holds, events, now });
  const joins = new JoinService({ store, keyring, crypto, metrics, now });
  const devices = new DeviceService({ store, keyring, crypto, holds, presence, events, now });
  const syncs = new SyncService({ store, crypto, keys, holds, presence, events, metrics, pins, now, log });
  const auth = adminAuth(store, now);
  return {
    ...{
      store,
      keyring,
      crypto,
      files,
      events,
      metrics,
      holds,
      presence,
      keys,
      releases,
      pins,
      joins,
      devices,
    },
    ...{ syncs, auth, adminTokenFile, now },
  };
}

type Services = Awaited<ReturnType<typeof makeServices>>;

function addAdminRoutes(app: FastifyInstance, services: Services & { deviceUrl: () => string }): void {
  const auth: AdminAuth = services.auth;
  openStatusRoutes(app, services);
  sessionRoutes(app, auth, services.now);
  blynkRoutes(app, services);
  void app.register(async (admin) => {
    admin.addHook("onRequest", (request) => auth.check(request));
    admin.addHook("preValidation", async (request) => {
      request.body ??= {}; // nothing sent means nothing said
    });
    statusRoutes(admin, services);
    deviceAdminRoutes(admin, services);
    joinKeyRoutes(admin, services);
    releaseRoutes(admin, services);
    eventRoutes(admin, services);
  });
}

/** Closes a listener: replies on their way get a moment, idle connections none. */
async function closeListener(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  const idle = setInterval(() => app.server.closeIdleConnections(), 20);
  await app.close();
  clearInterval(idle);
  clearTimeout(timer);
}

/**
 * Starts the server. Throws HostError `port-busy`, `port-permission`, `server-key-missing`, `database-too-new`; nothing
 * stays open then.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { host = "127.0.0.1", port = 3000, adminHost = "127.0.0.1", adminPort = 3001 } = options;
  const log = options.log ?? (() => {});
  const hosts = [...(options.allowHosts ?? []), host, adminHost];
  const services = await makeServices(options);
  const device = newListener({ hosts, log });
  const admin = newListener({ hosts, log });
  let closing: Promise<void> | undefined;
  let sweep: NodeJS.Timeout | undefined;
  const close = async (): Promise<void> => {
    clearInterval(sweep);
    services.holds.close();
    services.presence.close();
    await Promise.all([closeListener(device), closeListener(admin)]);
    await services.store.close();
  };
  try {
    deviceRoutes(device, services);
    firmwareRoutes(device, services);
    blynkRoutes(device, services);
    let deviceUrl = "";
    await describeApi(admin);
    addAdminRoutes(admin, { ...services, deviceUrl: () => deviceUrl });
    if (options.web !== undefined) await pageRoutes(admin, options.web);
    const { pin } = services.keyring;
    deviceUrl = `http://${reachableHost(host)}:${await listen(device, host, port)}/#${pin}`;
    const url = `http://${reachableHost(adminHost)}:${await listen(admin, adminHost, adminPort)}`;
    const tidy = async () => {
      await services.joins.sweep();
      await services.devices.sweep();
    };
    await tidy();
    sweep = setInterval(
      () => void tidy().catch((error: Error) => log(`tidying up: ${error.message}`)),
      SWEEP_MS,
    );
    sweep.unref();
    const { adminTokenFile } = services;
    return { url, deviceUrl, pin, adminTokenFile, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}
