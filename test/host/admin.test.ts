// The admin API's edges: who may use it, by which name it is called, what it says of itself, what it keeps on disk.

import test from "ava";
import { request } from "node:http";
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../../host/server.js";
import { ABOUT, DeviceClient } from "../support/device-client.js";
import { startTestServer, type TestServer } from "../support/test-server.js";

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server?.close());

/** With any headers, Host included. */
function call(
  path: string,
  headers: Record<string, string>,
  options: { method?: string; body?: string; url?: string } = {},
) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const outgoing = request(
        new URL(path, options.url ?? server.server.url),
        { method: options.method ?? "GET", headers },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () =>
            resolve({ status: response.statusCode!, text, headers: response.headers }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.end(options.body);
    },
  );
}

const adminToken = () => readFileSync(server.server.adminTokenFile, "utf8").trim();

test("without the admin token there is nothing but a greeting and health", async (t) => {
  for (const path of ["/api/", "/healthz", "/readyz"]) t.is((await call(path, {})).status, 200, path);
  t.deepEqual(JSON.parse((await call("/api/", {})).text), { message: "Broome" });
  for (const path of [
    "/api/devices",
    "/api/devices/x",
    "/api/join-keys",
    "/api/releases",
    "/api/server",
    "/api/events",
    "/metrics",
  ])
    for (const authorization of [
      "Bearer ",
      `Bearer ${"A".repeat(22)}`,
      `Basic ${adminToken()}`,
      `Bearer ${adminToken()}x`,
    ])
      t.is((await call(path, { authorization })).status, 401, `${path} ${authorization.slice(0, 10)}`);
  const { status, text, headers } = await call("/api/devices", {});
  t.is(status, 401);
  t.like(JSON.parse(text), { type: "about:blank", status: 401, code: "not-admin" });
  t.regex(String(headers["content-type"]), /^application\/problem\+json/);
});

test("the body is not even read without the token", async (t) => {
  const { status } = await call(
    "/api/releases",
    { "content-type": "application/json" },
    { method: "POST", body: "not json" },
  );
  t.is(status, 401);
});

test("a session of the page: strict cookie, only from the page itself, ended by logging out", async (t) => {
  const json = { "content-type": "application/json" };
  const login = (token: string) =>
    call("/api/login", json, { method: "POST", body: JSON.stringify({ token }) });
  t.is((await login("A".repeat(22))).status, 401);
  const { status, headers } = await login(adminToken());
  t.is(status, 200);
  const [setCookie] = headers["set-cookie"] as string[];
  t.regex(setCookie!, /; HttpOnly; SameSite=Strict/);
  const cookie = setCookie!.split(";")[0]!;
  t.is((await call("/api/devices", { cookie })).status, 200);
  const create = (more: Record<string, string>) =>
    call("/api/join-keys", { cookie, ...json, ...more }, { method: "POST", body: "{}" });
  t.is((await create({})).status, 201);
  t.is((await create({ origin: server.server.url })).status, 201);
  t.is((await create({ origin: "http://evil.example" })).status, 403);
  t.is((await create({ "sec-fetch-site": "cross-site" })).status, 403);
  t.is((await create({ "sec-fetch-site": "same-site" })).status, 403);
  t.false(server.tables().includes(cookie.split("=")[1]!), "kept as a hash");
  await call("/api/logout", { cookie }, { method: "POST" });
  t.is((await call("/api/devices", { cookie })).status, 401);
});

test("both listeners answer only to their own names, whatever is forwarded", async (t) => {
  for (const url of [server.server.url, server.server.deviceUrl]) {
    const { port } = new URL(url);
    for (const host of [`127.0.0.1:${port}`, "localhost", `[::1]:${port}`])
      t.not((await call("/healthz", { host }, { url })).status, 421, host);
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1.evil.example",
      "localhost@evil.example",
      "x y",
    ]) {
      const { status } = await call("/healthz", { host, "x-forwarded-host": "localhost" }, { url });
      t.true(status === 421 || status === 400, `${host}: ${status}`);
    }
  }
  const other = await startTestServer({ allowHosts: ["broome.example"] });
  t.teardown(() => other.close());
  t.is((await call("/healthz", { host: "Broome.Example:80" }, { url: other.server.url })).status, 200);
});

test("an address that a proxy forwards is not believed", async (t) => {
  const { body } = await server.admin("POST", "/api/devices", {});
  const device = new DeviceClient(server.server.deviceUrl, body);
  const { bytes } = device.seal({});
  await call(
    `/api/devices/${device.id}/sync`,
    { "content-type": "application/jose", "x-forwarded-for": "203.0.113.9" },
    { method: "POST", body: Buffer.from(bytes).toString(), url: server.server.deviceUrl },
  );
  t.like((await server.admin("GET", `/api/devices/${device.id}`)).body, { ipaddr: "127.0.0.1" });
});

test("problems tell what to do and nothing of the inside", async (t) => {
  t.like(await server.admin("GET", "/api/devices/nobody"), { status: 404, body: { code: "not-found" } });
  t.like(await server.admin("GET", "/api/devices?state=wrong"), {
    status: 400,
    body: { code: "bad-request" },
  });
  t.like(await server.admin("GET", "/nothing"), { status: 404, body: { code: "not-found" } });
  t.like(await server.admin("POST", "/api/join-keys", { uses: 0 }), { status: 400 });
  const big = await server.admin("POST", "/api/join-keys", { label: "x".repeat(70_000) });
  t.like(big, { status: 413, body: { code: "body-too-large" } });
});

test("a device's row: the columns of old, and what the owner writes", async (t) => {
  const { body } = await server.admin("POST", "/api/devices", { name: "porch" });
  const device = new DeviceClient(server.server.deviceUrl, body);
  await device.sync({ x: { ...ABOUT, ssid: "home", ip: "192.0.2.4", rssi: -60 } });
  const path = `/api/devices/${device.id}`;
  const row = (await server.admin("GET", path)).body as Record<string, unknown>;
  for (const name of [
    "deviceid",
    "name",
    "lastseen",
    "ssid",
    "ipaddr",
    "cfgsn",
    "flags",
    "data",
    "datec",
    "state",
    "mac",
    "chip",
    "version",
    "rssi",
    "tags",
    "location",
    "notes",
  ])
    t.true(name in row, name);
  const edit = { name: "gate", tags: ["north"], location: "Broome", notes: "n", flags: 3 };
  t.like(await server.admin("PUT", path, edit), { status: 200, body: edit });
  t.is((await server.admin("PUT", path, { state: "blocked" })).status, 400);
  t.is((await server.admin("PUT", path, { name: "ü".repeat(17) })).status, 400, "a name has 32 bytes");
  t.is((await device.sync()).reply!.n, "gate");
  t.true(((await server.admin("GET", "/api/devices?state=approved")).body as unknown[]).length >= 1);
  t.deepEqual((await server.admin("GET", "/api/devices?state=denied")).body, []);
});

test("the API describes itself", async (t) => {
  const { status, text } = await call("/openapi.json", {});
  t.is(status, 200);
  const { openapi, paths } = JSON.parse(text) as { openapi: string; paths: Record<string, object> };
  t.is(openapi, "3.1.0");
  for (const path of [
    "/api/devices",
    "/api/devices/{id}/approve",
    "/api/join-keys",
    "/api/releases",
    "/metrics",
  ])
    t.true(path in paths, path);
});

test("metrics are named by Prometheus' rules, and each has its type", async (t) => {
  const { text, headers } = await call("/metrics", { authorization: `Bearer ${adminToken()}` });
  t.is(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const types = new Map(
    Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name!, type!]),
  );
  const samples = Array.from(text.matchAll(/^([^#\s]+) (\d+)$/gm), ([, name]) => name!);
  t.deepEqual(samples, [...types.keys()]);
  t.is(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length, samples.length);
  for (const [name, type] of types) {
    t.regex(name, /^(broome|process)_[a-z_]+$/);
    t.is(name.endsWith("_total"), type === "counter", name);
  }
  for (const name of ["sync_accepted", "sync_duplicate", "sync_replay_rejected", "readings_stored"])
    t.is(types.get(`broome_${name}_total`), "counter");
});

test("the page is whole, and no script or style in it could come from elsewhere", async (t) => {
  const other = await startTestServer({ web: "host/web" });
  t.teardown(() => other.close());
  const get = (path: string) => call(path, {}, { url: other.server.url });
  const { text, headers } = await get("/");
  t.is(headers["content-type"], "text/html; charset=utf-8");
  t.regex(String(headers["content-security-policy"]), /^default-src 'none'; script-src 'self'/);
  t.notRegex(text, /<style|style=|\son[a-z]+=|<script(?![^>]*src=)|https?:/);
  const linked = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  for (const path of linked) t.is((await get(path)).status, 200, path);
  t.true(linked.includes("/page.js"));
  t.is((await get("/page.ts")).status, 404);
});

test("join keys are shown once", async (t) => {
  const { body } = await server.admin("POST", "/api/join-keys", { label: "workshop", uses: 3 });
  const { kid, key } = body as { kid: string; key: string };
  t.is(key.length, 30);
  t.true(key.startsWith(kid));
  const text = JSON.stringify((await server.admin("GET", "/api/join-keys")).body);
  t.true(text.includes(kid));
  t.false(text.includes(key.slice(8)));
  t.is((await server.admin("DELETE", `/api/join-keys/${kid}`)).status, 204);
  t.is((await server.admin("DELETE", "/api/join-keys/AAAAAAAA")).status, 404);
});

test("events come live, and a watcher does not keep the server from closing", async (t) => {
  const other = await startTestServer();
  const token = readFileSync(other.server.adminTokenFile, "utf8").trim();
  const response = await fetch(`${other.server.url}/api/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  t.is(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.getReader();
  const { body } = await other.admin("POST", "/api/devices", { name: "porch" });
  const device = new DeviceClient(other.server.deviceUrl, body);
  await device.sync({ x: ABOUT, o: { state: "idle" } });
  let text = "";
  while (!text.includes("event: ota.state")) text += Buffer.from((await reader.read()).value!).toString();
  t.regex(text, /event: device\ndata: \{.*"name":"porch"/);
  t.regex(text, /event: device\.online\n/);
  const started = Date.now();
  await other.close();
  t.true(Date.now() - started < 30_000);
});

test("keys and token lie in files for the owner alone; a lost token is made again, a lost key is not", async (t) => {
  const other = await startTestServer();
  t.teardown(() => other.close());
  const file = (name: string) => join(other.folder, name);
  const secrets = ["broome.admin-token", "broome.server.key", "broome.wrap.key"];
  for (const name of secrets) t.is(statSync(file(name)).mode & 0o777, 0o600, name);
  t.false(other.tables().includes(readFileSync(file("broome.admin-token"), "utf8").trim()));
  const { pin } = other.server;
  chmodSync(file("broome.server.key"), 0o644);
  const token = readFileSync(file("broome.admin-token"), "utf8");
  await other.restart();
  t.is(other.server.pin, pin);
  t.is(statSync(file("broome.server.key")).mode & 0o777, 0o600);
  t.is(readFileSync(file("broome.admin-token"), "utf8"), token);

  rmSync(file("broome.admin-token"));
  await other.restart();
  t.not(readFileSync(file("broome.admin-token"), "utf8"), token);
  t.is((await other.admin("GET", "/api/devices")).status, 200);

  await other.server.close();
  for (const name of ["broome.server.key", "broome.wrap.key"]) {
    const kept = readFileSync(file(name));
    rmSync(file(name));
    const start = async () => (await startServer({ db: other.db, port: 0, adminPort: 0 })).close();
    await t.throwsAsync(start, { code: "server-key-missing" });
    t.false(existsSync(file(name)));
    writeFileSync(file(name), Buffer.alloc(32, 1).toString("base64url"));
    await t.throwsAsync(start, { code: "server-key-missing" });
    writeFileSync(file(name), kept);
  }
  const again = await startServer({ db: other.db, port: 0, adminPort: 0 });
  t.is(again.pin, pin);
  await again.close();
});

test("a port that is taken is named, and nothing stays open", async (t) => {
  const port = Number(new URL(server.server.url).port);
  const error = await t.throwsAsync(
    startServer({ db: join(server.folder, "other.db"), port: 0, adminPort: port }),
    { code: "port-busy" },
  );
  t.regex(error!.message, new RegExp(`${port}`));
});
