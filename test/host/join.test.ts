// Joining against a real server over HTTP: who gets in, what the owner sees, and what no stranger can cause.

import test, { type ExecutionContext } from "ava";
import { encodeUtf8 } from "../../firmware/format/utf8.js";
import { hkdf } from "../../firmware/protocol/hkdf.js";
import { finishJoin, openM1, parseJoinKey, parseJoinRequest } from "../../firmware/protocol/join.js";
import { generateKeyPair, Handshake, NX_PSK0 } from "../../firmware/protocol/noise.js";
import { crypto } from "../../host/crypto.js";
import { ABOUT, DeviceClient, post } from "../support/device-client.js";
import { startTestServer, type TestServer } from "../support/test-server.js";

const HOUR = 3600_000;

interface Bench {
  server: TestServer;
  /** The server's clock, to be moved. */
  clock: { now: number };
  /** Diffie-Hellman computations that the server has done. */
  dh: () => number;
  device(): DeviceClient;
  joinKey(options?: object): Promise<{ kid: string; key: string }>;
  devices(): Promise<
    { deviceid: string; state: string; code: string | null; claims: string | null; name: string }[]
  >;
}

async function bench(t: ExecutionContext): Promise<Bench> {
  const clock = { now: Date.now() };
  let count = 0;
  const counting = {
    ...crypto,
    x25519: (secret: Uint8Array, publicKey: Uint8Array) => ((count += 1), crypto.x25519(secret, publicKey)),
  };
  const server = await startTestServer({ now: () => clock.now, crypto: counting });
  t.teardown(() => server.close());
  return {
    ...{ server, clock },
    dh: () => count,
    device: () => new DeviceClient(server.server.deviceUrl),
    joinKey: async (options = {}) => (await server.admin("POST", "/api/join-keys", options)).body,
    devices: async () => (await server.admin("GET", "/api/devices")).body,
  };
}

/** M1's answer: status and problem code. */
async function knock(device: DeviceClient, body: Uint8Array): Promise<{ status: number; code?: string }> {
  const answer = await post(`${device.base}/api/join`, body, "application/json");
  const { code } = JSON.parse(Buffer.from(answer.body).toString()) as { code?: string };
  return { status: answer.status, ...(code !== undefined && { code }) };
}

test("a device joins, its owner compares the code and lets it in", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const device = newDevice();
  const { code, j } = await device.join((await joinKey()).key);
  t.deepEqual(await devices(), [], "nothing is shown before M3");
  t.is((await device.sync({ j })).reply!.e, "pending");
  t.like((await devices())[0], {
    deviceid: device.id,
    state: "pending",
    code,
    mac: ABOUT.mac,
    chip: "esp32c3",
    version: "1.0.0",
    rssi: -55,
    claims: null,
  });
  const held = device.sync({ j, w: 20, x: ABOUT });
  await server.holding(1);
  t.is(
    (await server.admin("POST", `/api/devices/${device.id}/approve`, { code, name: "porch" })).status,
    200,
  );
  t.like((await held).reply, { n: "porch" });
  t.is((await held).reply!.e, undefined);
  t.like((await devices())[0], { state: "approved", code: null, name: "porch" });
  t.deepEqual((await device.sync({ r: [device.reading("a", 1)] })).reply!.a, [1, 1]);
  t.is((await server.admin("POST", `/api/devices/${device.id}/approve`, { code })).status, 409);
});

test("the name that a device brings is shown while it waits, and stays unless the owner gives another", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const names: string[] = [];
  for (const [mac, given] of [
    ["02:00:5e:00:53:11", undefined],
    ["02:00:5e:00:53:12", "shed"],
  ] as const) {
    const device = newDevice();
    const { code, j } = await device.join(key, { mac, name: "Bret's gadget" });
    await device.sync({ j });
    const row = (await devices()).find(({ deviceid }) => deviceid === device.id)!;
    t.like(row, { state: "pending", name: "Bret's gadget" });
    await server.admin("POST", `/api/devices/${device.id}/approve`, { code, ...(given && { name: given }) });
    names.push((await devices()).find(({ deviceid }) => deviceid === device.id)!.name as string);
  }
  t.deepEqual(names, ["Bret's gadget", "shed"]);
});

test("no Diffie-Hellman is done for a wrong, unknown, expired, used-up or revoked key, nor for a spoiled M1", async (t) => {
  const { server, clock, dh, device: newDevice, joinKey, devices } = await bench(t);
  const good = await joinKey();
  const revoked = await joinKey();
  await server.admin("DELETE", `/api/join-keys/${revoked.kid}`);
  const expired = await joinKey({ expires: clock.now + 1000 });
  clock.now += 1000;
  const once = await joinKey({ uses: 1 });
  const first = newDevice();
  const { j } = await first.join(once.key);
  await first.sync({ j });
  const device = newDevice();
  const spent = dh();
  const before = server.tables();
  const wrong = good.kid + Buffer.alloc(16, 7).toString("base64url");
  const unknown = `AAAAAAAA${good.key.slice(8)}`;
  for (const key of [wrong, unknown, expired.key, once.key, revoked.key])
    t.deepEqual(await knock(device, device.start(key).body), { status: 403, code: "join-rejected" });
  const { body } = device.start(good.key);
  for (let i = 0; i < body.length; i += 1) {
    const { status } = await knock(
      device,
      body.map((byte, at) => (at === i ? byte ^ 1 : byte)),
    );
    if (status !== 403 && status !== 400) t.fail(`byte ${i}: ${status}`);
  }
  for (const text of ["", "{}", "[]", '{"v":1}', '{"v":1,"jk":"AAAAAAAA","m":""}', "x".repeat(1024)])
    t.is(
      (await knock(device, Buffer.from(text))).status,
      text === '{"v":1,"jk":"AAAAAAAA","m":""}' ? 403 : 400,
    );
  t.is((await knock(device, Buffer.alloc(1025, 32))).status, 413);
  t.is(dh(), spent);
  t.is(server.tables(), before);
  t.is((await knock(device, body)).status, 200, "untouched it is taken");
  t.true(dh() > spent);
  t.is((await devices()).length, 1);
});

test("a low-order point is refused without any computation, as often as it comes, and leaves nothing", async (t) => {
  const { server, dh, device: newDevice, joinKey } = await bench(t);
  const { key } = await joinKey();
  const { kid, secret } = parseJoinKey(key);
  const device = newDevice();
  const points = [
    ...["00", "01"],
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ...["ec", "ed", "ee"].map((low) => `${low}${"ff".repeat(30)}7f`),
  ];
  const spellings = points.flatMap((hex) => {
    const point = new Uint8Array(32);
    point.set(Buffer.from(hex, "hex"));
    return [point, point.with(31, point[31]! | 0x80)];
  });
  const before = server.tables();
  for (const publicKey of spellings) {
    t.deepEqual(crypto.x25519(crypto.random(32), publicKey), new Uint8Array(32), "it is one");
    for (let again = 0; again < 4; again += 1) {
      const handshake = new Handshake(crypto, {
        ...{ pattern: NX_PSK0, initiator: true, prologue: encodeUtf8(`broome/1 join|${kid}`) },
        psk: hkdf(crypto, secret, new Uint8Array(0), encodeUtf8("broome/1 join psk"), 32),
        e: { secret: crypto.random(32), publicKey },
      });
      const hello = {
        ...{ c: Buffer.alloc(32).toString("base64url"), mac: ABOUT.mac, chip: "esp32c3" },
        ...{ product: "p", v: "1.0.0", rssi: 0, pin: "" },
      };
      const m = Buffer.from(handshake.write(encodeUtf8(JSON.stringify(hello)))).toString("base64url");
      const answer = await knock(device, Buffer.from(JSON.stringify({ v: 1, jk: kid, m })));
      t.deepEqual(answer, { status: 400, code: "noise-weak-key" });
    }
  }
  t.is(dh(), 0);
  t.is(server.tables(), before);
  t.is((await knock(device, device.start(key).body)).status, 200, "nor does it use up the key's minute");
});

test("the same M1 gets the same M2, any number of times, and a genuine join still succeeds", async (t) => {
  const { server, clock, dh, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const device = newDevice();
  const { m1, m2 } = await device.join(key);
  const spent = dh();
  const before = server.tables();
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post(`${device.base}/api/join`, m1, "application/json")),
    );
    for (const { body } of answers) if (Buffer.compare(body, m2) !== 0) t.fail("another M2");
  }
  t.is(dh(), spent);
  t.is(server.tables(), before);
  t.deepEqual(await devices(), []);
  const genuine = newDevice();
  const { j } = await genuine.join(key, { mac: "02:00:00:00:00:02" });
  t.is((await genuine.sync({ j })).reply!.e, "pending");
  clock.now += 11 * 60_000;
  t.deepEqual(await knock(device, m1), { status: 403, code: "join-rejected" }, "an old one is known as old");
  t.is(await server.metric("broome_join_answered_total"), 2);
});

test("one M1 ten times at once is one join", async (t) => {
  const { server, device: newDevice, joinKey } = await bench(t);
  const device = newDevice();
  const { body } = device.start((await joinKey()).key);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => post(`${device.base}/api/join`, body, "application/json")),
  );
  t.is(new Set(answers.map((answer) => Buffer.from(answer.body).toString())).size, 1);
  t.is(await server.metric("broome_join_answered_total"), 1);
});

test("six joins a minute and key, a hundred unconfirmed a key; other keys are not disturbed", async (t) => {
  const { clock, device: newDevice, joinKey } = await bench(t);
  const { key } = await joinKey();
  const device = newDevice();
  const statuses = async (count: number) => {
    const list = [];
    for (let i = 0; i < count; i += 1) list.push((await knock(device, device.start(key).body)).status);
    return list;
  };
  t.deepEqual(await statuses(7), [200, 200, 200, 200, 200, 200, 429]);
  t.is((await knock(device, device.start((await joinKey()).key).body)).status, 200);
  clock.now += 60_000;
  t.deepEqual(await statuses(7), [200, 200, 200, 200, 200, 200, 429]);
});

test("a nonce that M1 did not commit to shows nothing", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const device = newDevice();
  const { j } = await device.join((await joinKey()).key);
  const before = server.tables();
  t.is((await device.sync({ j: { n: "AAAAAAAAAAAAAAAAAAAAAA" } })).answer.status, 401);
  t.is((await device.sync({})).answer.status, 401, "nor does none");
  t.is(server.tables(), before);
  t.deepEqual(await devices(), []);
  t.is((await device.sync({ j })).reply!.e, "pending");
});

test("M3 of a join of another device, or of the same device's other join, is refused", async (t) => {
  const { device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const [a, b] = [newDevice(), newDevice()];
  const joinA = await a.join(key);
  const joinB = await b.join(key);
  t.is((await a.sync({ j: joinB.j })).answer.status, 401);
  a.id = b.id;
  t.is((await a.sync({ j: joinA.j })).answer.status, 401);
  t.deepEqual(await devices(), []);
});

test("who sits in between with the join key is known by the pin, or shows the owner another code", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  // The one in between answers the victim with a key of his own, and joins the real server in its name.
  const victim = () => newDevice().start(key, { pin: "" });
  const answer = (m1: Uint8Array) =>
    m2Of(openM1(crypto, parseJoinRequest(m1), parseJoinKey(key).secret, generateKeyPair(crypto)));
  const pinned = victim();
  t.throws(() => finishJoin(crypto, pinned, answer(pinned.body), server.server.pin), {
    code: "wrong-server",
  });
  const unpinned = victim();
  const { code: shown } = finishJoin(crypto, unpinned, answer(unpinned.body), undefined);
  const between = newDevice();
  const { j } = await between.join(key);
  await between.sync({ j });
  t.not((await devices())[0]!.code, shown, "equal with a chance of one in a million");
});

function m2Of(opened: ReturnType<typeof openM1>): Uint8Array {
  const m = Buffer.from(opened.handshake.write(encodeUtf8('{"id":"x","t":1}'))).toString("base64url");
  return Buffer.from(`{"v":1,"m":"${m}"}`);
}

test("a device that expects another server gets M2, finds out by itself, and nobody is shown it", async (t) => {
  const { device: newDevice, joinKey, devices } = await bench(t);
  const device = newDevice();
  const pin = "AAAAAAAAAAAAAAAAAAAAAA";
  const join = device.start((await joinKey()).key, { pin });
  const { status, body } = await post(`${device.base}/api/join`, join.body, "application/json");
  t.is(status, 200, "a refusal could have been forged by anybody; M2 could not");
  t.throws(() => finishJoin(crypto, join, body, pin), { code: "wrong-server" });
  t.deepEqual(await devices(), []);
});

test("a device that keeps refusing this server leaves room for others with its join key", async (t) => {
  const { clock, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const [lost, genuine] = [newDevice(), newDevice()];
  // It backs off from 1 s to 60 s (SPEC, HTTP) and begins with another M1 each time; two hours of that.
  for (let wait = 1, end = clock.now + 2 * HOUR; clock.now < end; wait = Math.min(60, wait * 2)) {
    t.is((await knock(lost, lost.start(key, { pin: "AAAAAAAAAAAAAAAAAAAAAA" }).body)).status, 200);
    clock.now += wait * 1000;
  }
  const { j } = await genuine.join(key, { mac: "02:00:00:00:00:02" });
  t.is((await genuine.sync({ j })).reply!.e, "pending");
  t.is((await devices()).length, 1);
});

test("five wrong codes deny a device; it is told, and nothing of it is taken", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const device = newDevice();
  const { code, j } = await device.join((await joinKey()).key);
  await device.sync({ j });
  const path = `/api/devices/${device.id}/approve`;
  const wrong = { code: code === "000000" ? "000001" : "000000" };
  t.is((await server.admin("POST", path, {})).status, 400, "without a code only explicitly");
  for (const body of [{ code: "12345" }, { code: 123456 }, { withoutCode: false }, { hack: 1 }])
    t.is((await server.admin("POST", path, body)).status, 400);
  for (let i = 0; i < 4; i += 1)
    t.like(await server.admin("POST", path, wrong), { status: 400, body: { code: "code-wrong" } });
  t.like((await devices())[0], { state: "pending" });
  t.like(await server.admin("POST", path, wrong), { status: 403, body: { code: "code-denied" } });
  t.like((await devices())[0], { state: "denied" });
  t.is((await server.admin("POST", path, { code })).status, 400);
  const before = server.tables();
  t.is((await device.sync({ j, r: [device.reading("a", 1)] })).reply!.e, "denied");
  t.is(server.tables(), before);
});

test("denying ends a hold", async (t) => {
  const { server, device: newDevice, joinKey } = await bench(t);
  const device = newDevice();
  const { j } = await device.join((await joinKey()).key);
  const held = device.sync({ j, w: 20 });
  await server.holding(1);
  await server.admin("POST", `/api/devices/${device.id}/deny`);
  t.is((await held).reply!.e, "denied");
});

test("what a pending device sends is neither stored nor acknowledged, and delivered after its approval", async (t) => {
  const { server, device: newDevice, joinKey } = await bench(t);
  const device = newDevice();
  const { j } = await device.join((await joinKey()).key);
  const r = [device.reading("a", 1)];
  const fields = {
    r,
    l: [[1, "power-on", "1.0.0", 0, ""]] as [number, string, string, number, string][],
    v: [[5, "x"]] as [number, string][],
  };
  const { reply } = await device.sync({ j, ...fields });
  t.is(reply!.e, "pending");
  t.is(reply!.a, undefined);
  t.is(reply!.la, undefined);
  t.deepEqual((await server.admin("GET", `/api/devices/${device.id}/readings`)).body, []);
  t.deepEqual((await server.admin("GET", `/api/devices/${device.id}/boots`)).body, []);
  t.deepEqual((await server.admin("GET", `/api/devices/${device.id}/pins`)).body, []);
  await server.admin("POST", `/api/devices/${device.id}/approve`, { withoutCode: true });
  t.like((await device.sync(fields)).reply, { a: [1, 1], la: 1 });
});

test("a known MAC is shown as a claim; the old device works until the owner approves", async (t) => {
  const { server, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const old = newDevice();
  const first = await old.join(key);
  await old.sync({ j: first.j });
  await server.admin("POST", `/api/devices/${old.id}/approve`, { code: first.code, name: "porch" });
  await old.sync({ r: [old.reading("a", 1)] });
  const { token } = (await server.admin("POST", `/api/devices/${old.id}/tokens`, {})).body as {
    token: string;
  };
  const fresh = newDevice();
  const { code, j } = await fresh.join(key);
  await fresh.sync({ j });
  t.like(
    (await devices()).find(({ deviceid }) => deviceid === fresh.id),
    { state: "pending", claims: old.id, code },
  );
  t.is((await old.sync()).answer.status, 200);
  await server.admin("POST", `/api/devices/${fresh.id}/approve`, { code });
  t.is((await old.sync()).answer.status, 401);
  t.is((await fresh.sync()).reply!.n, "porch");
  t.like(
    (await devices()).find(({ deviceid }) => deviceid === old.id),
    { state: "replaced" },
  );
  const get = await fetch(`${server.server.url}/external/api/isHardwareConnected?token=${token}`);
  t.is(await get.text(), "true", "the token went with the name");
});

test("a pending device expires after a day", async (t) => {
  const { server, clock, device: newDevice, joinKey, devices } = await bench(t);
  const device = newDevice();
  const { j } = await device.join((await joinKey()).key);
  await device.sync({ j });
  clock.now += 23 * HOUR;
  await server.restart();
  t.is((await devices()).length, 1);
  clock.now += 2 * HOUR;
  await server.restart();
  t.deepEqual(await devices(), []);
  const later = new DeviceClient(server.server.deviceUrl, device);
  t.is((await later.sync({ j, s: 9 })).answer.status, 401);
});

test("a join survives a restart of the server between M2 and M3; not ten minutes", async (t) => {
  const { server, clock, device: newDevice, joinKey, devices } = await bench(t);
  const { key } = await joinKey();
  const [device, late] = [newDevice(), newDevice()];
  const { j } = await device.join(key);
  const other = await late.join(key);
  await server.restart();
  t.is((await new DeviceClient(server.server.deviceUrl, device).sync({ j })).reply!.e, "pending");
  clock.now += 10 * 60_000;
  t.is((await new DeviceClient(server.server.deviceUrl, late).sync({ j: other.j })).answer.status, 401);
  t.is((await devices()).length, 1);
});

test("the database holds neither device keys nor join keys in the clear", async (t) => {
  const { server, device: newDevice, joinKey } = await bench(t);
  const { key } = await joinKey();
  const device = newDevice();
  const { j } = await device.join(key);
  await device.sync({ j });
  const tables = server.tables();
  const { secret } = parseJoinKey(key);
  for (const bytes of [device.key, secret])
    for (const encoding of ["hex", "base64", "base64url"] as const)
      t.false(tables.includes(Buffer.from(bytes).toString(encoding)));
});
