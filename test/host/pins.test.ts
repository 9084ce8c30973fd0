// Pins over HTTP in Blynk's URL form: tokens, scopes, errors in its words.

import test from "ava";
import { ABOUT, DeviceClient } from "../support/device-client.js";
import { startTestServer, type TestServer } from "../support/test-server.js";

let server: TestServer;
let device: DeviceClient;
const lines: string[] = [];

test.before(async () => {
  server = await startTestServer({ log: (line) => lines.push(line) });
  const { body } = await server.admin("POST", "/api/devices", {});
  device = new DeviceClient(server.server.deviceUrl, body);
  await device.sync({ x: ABOUT });
});
test.after.always(() => server?.close());

async function newToken(scopes?: string[]): Promise<string> {
  const { body } = await server.admin("POST", `/api/devices/${device.id}/tokens`, scopes ? { scopes } : {});
  return (body as { token: string }).token;
}

const bases = (): string[] => [server.server.url, server.server.deviceUrl.split("/#")[0]!];

async function call(path: string, headers: Record<string, string> = {}, base = bases()[0]!) {
  const response = await fetch(`${base}/external/api/${path}`, { headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

test.serial("update and get, on both listeners, in every spelling of the pin", async (t) => {
  const token = await newToken();
  for (const base of bases()) {
    for (const [i, query] of ["v1=10", "V1=11", "pin=v1&value=12", "pin=V1&value=13"].entries()) {
      t.like(await call(`update?token=${token}&${query}`, {}, base), { status: 200, text: "" });
      t.like(await call(`get?token=${token}&v1`, {}, base), { status: 200, text: `${10 + i}` });
    }
    t.like(await call(`get?token=${token}&pin=V1`, {}, base), { status: 200, text: "13" });
  }
  const { headers } = await call(`get?token=${token}&v1`);
  t.is(headers.get("cache-control"), "no-store");
  t.is(headers.get("referrer-policy"), "no-referrer");
});

test.serial("several pins at once", async (t) => {
  const token = await newToken();
  t.is((await call(`batch/update?token=${token}&V2=a&v3=b%20c`)).status, 200);
  t.deepEqual(JSON.parse((await call(`get?token=${token}&V2&v3`)).text), { V2: "a", v3: "b c" });
});

test.serial("what the device reports is what is read", async (t) => {
  const token = await newToken();
  await device.sync({
    v: [
      [101, '{"state":"idle","percent":0}'],
      [4, 21.5],
    ],
  });
  t.is((await call(`get?token=${token}&v101`)).text, '{"state":"idle","percent":0}');
  t.is((await call(`get?token=${token}&v4`)).text, "21.5");
  t.is((await call(`isHardwareConnected?token=${token}`)).text, "true");
});

test.serial("a bearer header works as well", async (t) => {
  const authorization = `Bearer ${await newToken()}`;
  t.is((await call("update?v1=5", { authorization })).status, 200);
  t.is((await call("get?v1", { authorization })).text, "5");
});

test.serial("errors have Blynk's form, and change nothing", async (t) => {
  const token = await newToken();
  await device.sync();
  const before = server.tables();
  const invalid = '{"error":{"message":"Invalid token."}}';
  for (const bad of [
    "",
    "x",
    "A".repeat(22),
    `${token}=`,
    `${token.slice(0, -1)}`,
    `${token}&token=${token}`,
  ])
    t.like(await call(`update?token=${bad}&v1=1`), { status: 400, text: invalid }, bad);
  t.like(await call("get?v1"), { status: 400, text: invalid });
  for (const query of [
    "",
    "&v256=1",
    "&v01=1",
    "&x1=1",
    "&v1",
    "&v1=1&v1=2",
    "&v1=1&v2=2",
    "&pin=v1",
    `&v1=${"x".repeat(257)}`,
    "&__proto__=1",
  ]) {
    const answer = await call(`update?token=${token}${query}`);
    if (query === "&v1") t.is(answer.status, 200, "an empty value is a value");
    else {
      t.is(answer.status, 400, query);
      t.is(typeof (JSON.parse(answer.text) as { error: { message: string } }).error.message, "string");
    }
  }
  t.is((await call(`get?token=${token}&v77`)).status, 400);
  t.not(server.tables(), before);
  t.is((await call(`get?token=${token}&v1`)).text, "");
});

test.serial("scopes: reading is not setting, setting is not updating the firmware", async (t) => {
  const [read, pins] = [await newToken(["read"]), await newToken(["pins"])];
  t.is((await call(`update?token=${read}&v1=9`)).status, 403);
  t.is((await call(`get?token=${pins}&v1`)).status, 403);
  t.is((await call(`update?token=${pins}&v1=9`)).status, 200);
  t.is((await call(`update?token=${pins}&v100=1`)).status, 403);
  t.is((await call(`batch/update?token=${pins}&v1=1&v100=1`)).status, 403);
  t.is((await call(`update?token=${await newToken(["pins", "ota"])}&v100=1`)).status, 200);
});

test.serial("a browser that loads in advance switches nothing", async (t) => {
  const token = await newToken();
  const before = server.tables();
  for (const name of ["sec-purpose", "purpose"])
    t.is((await call(`update?token=${token}&v1=8`, { [name]: "prefetch;prerender" })).status, 403);
  t.is(server.tables(), before);
  t.is(
    (await fetch(`${bases()[0]}/external/api/update?token=${token}&v1=8`, { method: "HEAD" })).status,
    404,
  );
});

test.serial("a removed token, and a blocked device's, are invalid", async (t) => {
  const token = await newToken();
  const { body } = await server.admin("GET", `/api/devices/${device.id}/tokens`);
  const { tokenid } = (body as { tokenid: string }[]).at(-1)!;
  t.is((await server.admin("DELETE", `/api/devices/${device.id}/tokens/${tokenid}`)).status, 204);
  t.is((await call(`get?token=${token}&v1`)).status, 400);
  const other = await newToken();
  await server.admin("POST", `/api/devices/${device.id}/block`);
  t.is((await call(`get?token=${other}&v1`)).status, 400);
  await server.admin("POST", `/api/devices/${device.id}/approve`, { withoutCode: true });
});

test.serial("tokens are stored hashed, and never logged", async (t) => {
  const token = await newToken();
  t.false(server.tables().includes(token));
  await call(`update?token=${token}&v1=1`);
  await call(`update?token=${token}&v999=1`);
  t.false(lines.join("\n").includes(token));
});
