// `broome serve`: the server, until it is interrupted.

import { join, resolve } from "node:path";
import { networkInterfaces } from "node:os";
import { defaultDatabase } from "../admin-client.js";
import { BroomeError } from "../error.js";
import type { Context, Options, Verb } from "../verb.js";
import { startServer } from "../../host/server.js";

const DEFAULT_PORT = 3000;
const DEFAULT_ADMIN_PORT = 3001;

export const verb: Verb = {
  name: "serve",
  summary: "the server: joins, telemetry, pins, updates, page",
  configure(command) {
    const port = command.options.find(({ long }) => long === "--port");
    if (port) port.description = `port for devices (default: ${DEFAULT_PORT}, 0: a free one)`;
    command
      .option(
        "--admin-port <port>",
        `port of the admin listener (default: ${DEFAULT_ADMIN_PORT}, 0: a free one)`,
      )
      .option(
        "--host <address>",
        "where devices reach it: an address of this machine, or 0.0.0.0 for all",
        "127.0.0.1",
      )
      .option("--admin-host <address>", "where the admin listener is; it speaks plain HTTP", "127.0.0.1")
      .option("--allow-host <name>", "a name by which it may be called, besides this machine's own", append)
      .option(
        "--db <file>",
        "database; keys, token and releases lie beside it (default: .broome/server/broome.db)",
      );
  },
  run: serve,
};

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function portOf(value: unknown, name: string, otherwise: number): number {
  const port = value === undefined ? otherwise : Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new BroomeError("usage", `${name} ${String(value)} is not a port`, "Ports are 0 to 65535.");
}

/** `file:broome.db`, `broome.db` -> a path. */
function databaseOf(value: string | undefined, context: Context): string {
  if (value === undefined) return defaultDatabase(context.cacheDir);
  const scheme = /^([a-z][a-z0-9+.-]+):/.exec(value)?.[1];
  if (scheme === undefined) return resolve(value);
  if (scheme === "file") return resolve(value.replace(/^file:(\/\/)?/, ""));
  throw new BroomeError(
    "database-unsupported",
    `"${scheme}:" databases are not supported yet`,
    "Give the path of an SQLite file.",
  );
}

function lanAddress(): string | undefined {
  const entries = Object.values(networkInterfaces()).flat();
  return entries.find((entry) => entry!.family === "IPv4" && !entry!.internal)?.address;
}

async function serve(context: Context, _args: string[], options: Options): Promise<Record<string, unknown>> {
  const port = portOf(options.port, "--port", DEFAULT_PORT);
  const host = options.host as string;
  const db = databaseOf(options.db as string | undefined, context);
  const server = await startServer({
    ...{ db, host, port },
    adminHost: options.adminHost as string,
    adminPort: portOf(options.adminPort, "--admin-port", DEFAULT_ADMIN_PORT),
    allowHosts: (options.allowHost as string[] | undefined) ?? [],
    web: join(context.root, "host", "web"),
    log: (line) => context.log(line),
  });
  const { url, deviceUrl, adminTokenFile } = server;
  context.print(JSON.stringify({ url, deviceUrl, adminTokenFile }));
  context.log(`page:     ${url}   (log in with the token in ${adminTokenFile})`);
  context.log(`devices:  ${deviceUrl}`);
  context.log(`database: ${db}`);
  if (/^http:\/\/(127\.|localhost|\[::1\])/.test(deviceUrl)) {
    const lan = lanAddress();
    const devicePort = new URL(deviceUrl).port;
    context.log(
      lan === undefined
        ? "Real boards cannot reach a loopback address, and this machine has no other IPv4 address."
        : `Real boards cannot reach a loopback address. For them: broome serve --host ${lan}` +
            `\n          and the server URL http://${lan}:${devicePort}/#${server.pin}`,
    );
  }
  if (!/^http:\/\/(127\.|localhost|\[::1\])/.test(url))
    context.log(
      "The admin listener is plain HTTP and not on loopback: the admin token travels in the clear.",
    );
  if (!context.signal.aborted)
    await new Promise((done) => context.signal.addEventListener("abort", done, { once: true }));
  await server.close();
  return { url, deviceUrl, adminTokenFile };
}
