// A real server on free ports of loopback with its database in a folder of its own, and a client of its admin API.

import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import Database from "libsql";
import { startServer, type Server, type ServerOptions } from "../../host/server.js";

export interface TestServer {
  server: Server;
  folder: string;
  db: string;
  /** Admin API: method, path, JSON body. Resolves to status and parsed body. */
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: never }>;
  /** Every row of every table, as text: to compare before and after. */
  tables(): string;
  metric(name: string): Promise<number>;
  /** Resolves when so many replies are held. */
  holding(count: number): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "broome-server-"));
  const db = join(folder, "broome.db");
  const start = () => startServer({ db, port: 0, adminPort: 0, ...options });
  let server = await start();
  const request = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${readFileSync(server.adminTokenFile, "utf8").trim()}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const self: TestServer = {
    folder,
    db,
    get server() {
      return server;
    },
    async admin(method, path, body) {
      const response = await request(method, path, body);
      const text = await response.text();
      return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as never };
    },
    tables() {
      const sql = new Database(db, { readonly: true });
      const names = sql.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all([]);
      const rows = (names as { name: string }[]).map(({ name }) => [
        name,
        sql
          .prepare(`SELECT * FROM ${name}`)
          .all([])
          .map((row) =>
            Object.values(row as object).map((v: unknown) =>
              v instanceof ArrayBuffer ? Buffer.from(v).toString("hex") : v,
            ),
          ),
      ]);
      sql.close();
      return JSON.stringify(rows, null, 1);
    },
    async metric(name) {
      const text = await (await request("GET", "/metrics")).text();
      return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)![1]);
    },
    async holding(count) {
      for (let i = 0; i < 6000 && (await self.metric("broome_holds_open")) !== count; i += 1) await sleep(10);
      if ((await self.metric("broome_holds_open")) !== count)
        throw new Error(`not ${count} replies are held`);
    },
    async restart() {
      await server.close();
      server = await start();
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return self;
}
