// The sealed round trip against a real server over HTTP: what is taken once, what is refused, what changes nothing.

import test, { type ExecutionContext } from "ava";
import { spawn } from "node:child_process";
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { crypto } from "../../host/crypto.js";
import { deriveKeys } from "../../firmware/protocol/sealed.js";
import { ABOUT, DeviceClient, post } from "../support/device-client.js";
import { startTestServer, type TestServer } from "../support/test-server.js";

let shared: TestServer;
test.before(async () => {
  shared = await startTestServer();
});
test.after.always(() => shared?.close());

/** A registered device that has said what it is. */
async function newDevice(server: TestServer = shared): Promise<DeviceClient> {
  const { body } = (await server.admin("POST", "/api/devices", {})) as { body: { id: string; key: string } };
  const device = new DeviceClient(server.server.deviceUrl, body);
  const { reply } = await device.sync({ x: ABOUT });
  if (!reply || reply.e) throw new Error("the new device is not taken");
  return device;
}

/** JWE of any header and plaintext under the device's key for requests. */
function sealAs(
  device: DeviceClient,
  header: string,
  plaintext: string,
  options: { secondPart?: string; tagLength?: number } = {},
) {
  const { up } = deriveKeys(crypto, device.key, device.id);
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-128-cbc", up.subarray(16), iv);
  const text = Buffer.concat([cipher.update(plaintext, "latin1"), cipher.final()]);
  const aad = Buffer.from(header).toString("base64url");
  const bits = Buffer.alloc(8);
  bits.writeUInt32BE(aad.length * 8, 4);
  const mac = createHmac("sha256", up.subarray(0, 16))
    .update(aad)
    .update(iv)
    .update(text)
    .update(bits)
    .digest();
  const parts = [aad, options.secondPart ?? "", iv, text, mac.subarray(0, options.tagLength ?? 16)];
  return Buffer.from(
    parts.map((part) => (typeof part === "string" ? part : part.toString("base64url"))).join("."),
  );
}

const header = (kid: string) => `{"alg":"dir","enc":"A128CBC-HS256","kid":"${kid}"}`;
const fields = (more = "") => `{"b":9,"s":1,"u":1,"t":0,"w":0,"m":4096,"p":0,"c":0${more}}`;

/** Posts what must be refused, and compares every table before and after. */
async function refuses(t: ExecutionContext, device: DeviceClient, bodies: Uint8Array[]): Promise<void> {
  const unknown = await post(`${device.base}/api/devices/nobody/sync`, Buffer.from("x"), "application/jose");
  const before = shared.tables();
  for (const body of bodies) {
    const answer = await device.send(body);
    if (answer.status === 401 && Buffer.compare(answer.body, unknown.body) === 0) continue;
    t.fail(`${answer.status} for ${Buffer.from(body).toString("latin1").slice(0, 300)}`);
  }
  t.is(shared.tables(), before);
}

test.serial("a sealed request is stored and acknowledged", async (t) => {
  const device = await newDevice();
  const before = Date.now();
  const { reply, answer } = await device.sync({
    u: 5000,
    r: [
      [1, 1, 1000, "temperature", 21.5],
      [1, 2, 4000, "door", "open"],
    ],
    l: [[1, "power-on", "1.0.0", 0, ""]],
    v: [[101, '{"state":"idle"}']],
    x: { ...ABOUT, ssid: "Broome", ip: "192.0.2.9", rssi: -61, heap: 20000 },
  });
  t.is(answer.type, "application/jose");
  t.like(reply, { a: [1, 2], la: 1 });
  t.true(reply!.t >= before && reply!.t <= Date.now());
  const { body } = (await shared.admin("GET", `/api/devices/${device.id}/readings`)) as {
    body: { name: string; value: unknown; at: number }[];
  };
  t.deepEqual(
    body.map(({ name, value }) => [name, value]),
    [
      ["door", "open"],
      ["temperature", 21.5],
    ],
  );
  t.is(body[0]!.at - body[1]!.at, 3000);
  const { body: row } = (await shared.admin("GET", `/api/devices/${device.id}`)) as { body: object };
  t.like(row, {
    ssid: "Broome",
    ipaddr: "192.0.2.9",
    rssi: -61,
    version: "1.0.0",
    online: true,
    state: "approved",
    data: { temperature: 21.5, door: "open" },
    status: { heap: 20000 },
  });
  const { body: boots } = (await shared.admin("GET", `/api/devices/${device.id}/boots`)) as {
    body: object[];
  };
  t.like(boots[0], { boot: 1, cause: "power-on", version: "1.0.0" });
  const { body: pins } = (await shared.admin("GET", `/api/devices/${device.id}/pins`)) as { body: object[] };
  t.like(pins[0], { pin: "V101", desired: null, reported: { value: '{"state":"idle"}' } });
});

test.serial("any byte of a request flipped: the constant 401, and no row changes", async (t) => {
  const device = await newDevice();
  const { bytes } = device.seal({ r: [device.reading("a", 1)] });
  const flipped = [...bytes.keys()].map((i) =>
    Uint8Array.from(bytes, (byte, at) => (at === i ? byte ^ 1 : byte)),
  );
  await refuses(t, device, flipped);
});

test.serial("parts dropped, doubled, swapped, padded or spelled otherwise are refused", async (t) => {
  const device = await newDevice();
  const text = Buffer.from(device.seal().bytes).toString();
  const parts = text.split(".");
  const broken = [
    ...[
      "",
      ".",
      "....",
      text + ".",
      "." + text,
      text + "=",
      text + "\n",
      " " + text,
      text.slice(0, -1),
      text + text,
    ],
    ...parts.map((_, i) => parts.filter((__, at) => at !== i).join(".")),
    ...parts.map((part, i) => parts.toSpliced(i, 0, part).join(".")),
    ...[
      [0, 2],
      [2, 3],
      [3, 4],
      [0, 4],
    ].map(([a, b]) => parts.with(a!, parts[b!]!).with(b!, parts[a!]!).join(".")),
    ...parts.map((part, i) => parts.with(i, part + "=").join(".")),
    ...parts.map((_, i) => parts.with(i, "").join(".")).filter((other) => other !== text),
    text.replaceAll("-", "+").replaceAll("_", "/") + (/[-_]/.test(text) ? "" : "+"),
    JSON.stringify({ text }),
  ];
  await refuses(
    t,
    device,
    broken.map((body) => Buffer.from(body)),
  );
});

test.serial(
  "other headers, keys, tags and second parts are refused though sealed with the right key",
  async (t) => {
    const device = await newDevice();
    const other = await newDevice();
    const kid = `${device.id}.1`;
    const good = header(kid);
    const headers = [
      good.replace("A128CBC-HS256", "A256CBC-HS512"),
      good.replace('"dir"', '"none"'),
      good.replace('"dir"', '"A128KW"'),
      good.replace("}", ',"zip":"DEF"}'),
      good.replace("}", ',"crit":["x"],"x":1}'),
      good.replace('{"alg":"dir"', '{"alg":"dir","alg":"dir"'),
      good.replace("{", "{ "),
      `{"enc":"A128CBC-HS256","alg":"dir","kid":"${kid}"}`,
      header(`${device.id}.2`),
      header(`${device.id}.01`),
      header(device.id),
      header(`${other.id}.1`),
      header(".1"),
      `{"alg":"dir","enc":"A128CBC-HS256","kid":"${kid}","re":"AAAAAAAAAAAAAAAAAAAAAA"}`,
    ];
    await refuses(t, device, [
      ...headers.map((text) => sealAs(device, text, fields())),
      sealAs(device, good, fields(), { secondPart: "AA" }),
      sealAs(device, good, fields(), { tagLength: 15 }),
      sealAs(device, good, fields(), { tagLength: 17 }),
      sealAs(other, good, fields()),
      sealAs(other, header(`${other.id}.1`), fields()), // B's message on the path of A
    ]);
    t.is(
      (await device.send(sealAs(device, good, fields()))).status,
      200,
      "the same with the right header is taken",
    );
  },
);

test.serial("sealed plaintexts of another form are refused", async (t) => {
  const device = await newDevice();
  const plaintexts = [
    ...["", "null", "[]", "1", "{}", "{", "\xff", fields().replace('"b":9', '"b":9007199254740992')],
    ...["-1", "1.5", '"9"', "null", "1e99", "NaN", "4294967296"].map((b) =>
      fields().replace('"b":9', `"b":${b}`),
    ),
    fields(`,"z":${"[".repeat(1000)}${"]".repeat(1000)}`),
    fields().replace('"w":0', '"w":51'),
  ];
  await refuses(
    t,
    device,
    plaintexts.map((text) => sealAs(device, header(`${device.id}.1`), text)),
  );
});

const reading = '[1,1,1,"x",1]';
const one = '[5,"on"]';
const ok = { r: `[${reading}]`, v: `[${one}]`, l: '[[1,"user","1.0.0",0,""]]', o: '{"state":"checking"}' };
const invalid: [field: keyof typeof ok, json: string][] = [
  ["r", '[[1,1,1,"x",{}]]'],
  ["r", '[[1,2,1,"x",1],[1,1,1,"x",1]]'],
  ["r", '[[1,1,1,"__proto__",1]]'],
  ["r", '[[1,1,1,"x",1e999]]'],
  ["r", `[${reading},5]`],
  ["v", "[[256,1]]"],
  ["v", `[${one},[1]]`],
  ["l", '[[1,"user","1.0.0",-1,""]]'],
  ["l", "{}"],
  ["o", '{"state":"hacked"}'],
];

test.serial("an invalid part of an authentic request is left out, the others count", async (t) => {
  await Promise.all(
    invalid.map(async ([field, json]) => {
      const device = await newDevice();
      const kid = header(`${device.id}.1`);
      const send = async (s: number, parts: Record<string, string>) => {
        const more = Object.entries(parts).map(([name, value]) => `,"${name}":${value}`);
        const bytes = sealAs(device, kid, fields(more.join("")).replace('"s":1', `"s":${s}`));
        const answer = await device.send(bytes);
        if (answer.status !== 200) throw new Error(`${answer.status} for ${field}: ${json}`);
        return device.open(bytes.toString().split(".")[4]!, answer.body);
      };
      const look = async () => {
        const of = `/api/devices/${device.id}`;
        const [row, readings, boots, pins] = await Promise.all(
          ["", "/readings", "/boots", "/pins"].map((path) => shared.admin("GET", of + path)),
        );
        const { ota } = row!.body as { ota: object | null };
        return { r: readings!.body, l: boots!.body, v: pins!.body, o: ota ? [ota] : [] } as Record<
          string,
          unknown[]
        >;
      };
      const reply = await send(1, { ...ok, [field]: json });
      t.deepEqual(reply.a, field === "r" ? undefined : [1, 1], `${field}: ${json}`);
      t.is(reply.la, field === "l" ? undefined : 1, `${field}: ${json}`);
      for (const [name, list] of Object.entries(await look()))
        t.is(list.length, name === field ? 0 : 1, `${name} beside ${field}: ${json}`);
      t.like(await send(2, ok), { a: [1, 1], la: 1 }, "mended, it is taken");
      for (const list of Object.values(await look())) t.is(list.length, 1);
    }),
  );
});

test.serial("an invalid member of x or d is left out alone; it is counted, and logged once", async (t) => {
  const lines: string[] = [];
  const server = await startTestServer({ log: (line) => lines.push(line) });
  t.teardown(() => server.close());
  const device = await newDevice(server);
  const hex = `0x${"ff".repeat(32)}`;
  const x = { ...ABOUT, ssid: hex, ip: "1.2.3", chip: "a b", version: "<b>", product: "a\nb", rssi: 5 };
  const { bytes } = await device.sync({ x: { ...x, long: "x".repeat(67) }, d: { a: 1, b: "y".repeat(65) } });
  const { body } = await server.admin("GET", `/api/devices/${device.id}`);
  t.like(body as object, { ...ABOUT, ssid: hex, ipaddr: "127.0.0.1", rssi: null, properties: { a: 1 } });
  const { status } = body as { status: object };
  t.deepEqual(Object.keys(status).sort(), ["layout", "ssid"], "as it was said last, whole; the columns stay");
  t.is(await server.metric("broome_sync_fields_refused_total"), 7);
  await device.send(bytes);
  t.is(lines.filter((line) => line.includes(device.id)).length, 1);
  t.regex(lines.join("\n"), /left out 7: field x.long: .*; field d.b: .*; field x.chip: /);
});

test.serial(
  "what a device says no more of itself is forgotten; a sync that says nothing of it changes nothing",
  async (t) => {
    const server = await startTestServer();
    t.teardown(() => server.close());
    const device = await newDevice(server);
    const failure = async () => {
      const { body } = await server.admin("GET", `/api/devices/${device.id}`);
      return (body as { status: { failure?: string } }).status.failure;
    };
    await device.sync({ x: { ...ABOUT, failure: "wrong-password" } });
    t.is(await failure(), "wrong-password");
    await device.sync({ d: { a: 1 } });
    t.is(await failure(), "wrong-password");
    await device.sync({ x: ABOUT });
    t.is(await failure(), undefined);
  },
);

test.serial("no device can take the MAC of another, or change its own", async (t) => {
  const server = await startTestServer();
  t.teardown(() => server.close());
  const [first, second] = [await newDevice(server), await newDevice(server)];
  const macs = async () => {
    const { body } = (await server.admin("GET", "/api/devices")) as {
      body: { deviceid: string; mac: string }[];
    };
    return [first, second].map(({ id }) => body.find(({ deviceid }) => deviceid === id)!.mac);
  };
  t.deepEqual(await macs(), [ABOUT.mac, ""], "the second said the first one's");
  await second.sync({ x: { mac: "AA:BB:CC:00:00:01" } });
  t.deepEqual(await macs(), [ABOUT.mac, ""], "another form");
  await second.sync({ x: { mac: "02:00:00:00:00:02" } });
  await first.sync({ x: { mac: "02:00:00:00:00:03" } });
  await second.sync({ x: { mac: ABOUT.mac } });
  t.deepEqual(await macs(), [ABOUT.mac, "02:00:00:00:00:02"]);
});

test.serial("a reply sent back as a request is refused", async (t) => {
  const device = await newDevice();
  const { answer } = await device.sync();
  await refuses(t, device, [answer.body]);
});

test.serial("too large a body, and another path, say so and change nothing", async (t) => {
  const device = await newDevice();
  const before = shared.tables();
  t.is((await device.send(Buffer.alloc(20_000, 65))).status, 413);
  t.is(
    (await post(`${device.base}/api/devices/${device.id}/sync/x`, Buffer.alloc(1), "text/plain")).status,
    404,
  );
  t.is(
    (await fetch(`${device.base}/api/devices`)).status,
    404,
    "the admin API is not on the device listener",
  );
  t.is(shared.tables(), before);
});

test.serial(
  "the latest request again is answered, an older one is stale; neither changes a row",
  async (t) => {
    const device = await newDevice();
    const first = await device.sync({ r: [device.reading("a", 1)] });
    const latest = await device.sync({ r: [device.reading("a", 2)], v: [[5, "x"]] });
    const counts = async () => [
      await shared.metric("broome_sync_duplicate_total"),
      await shared.metric("broome_sync_replay_rejected_total"),
    ];
    const [duplicates, rejected] = (await counts()) as [number, number];
    const before = shared.tables();
    const again = await device.send(latest.bytes);
    t.deepEqual(device.open(latest.tag, again.body).a, [1, 2]);
    const replayed = await device.send(first.bytes);
    t.like(device.open(first.tag, replayed.body), { e: "stale", hb: 1 });
    t.is(shared.tables(), before);
    t.deepEqual(await counts(), [duplicates + 1, rejected + 1]);
  },
);

test.serial("another request with the number of the latest is stale", async (t) => {
  const device = await newDevice();
  device.s -= 1;
  t.like((await device.sync({ r: [device.reading("a", 1)] })).reply, { e: "stale", hb: 1 });
});

/** Another process that serves the same database; resolves to its address for devices. */
async function secondProcess(t: ExecutionContext): Promise<string> {
  const command = ["tools/bin/broome.mjs", "serve", "--port", "0", "--admin-port", "0", "--db", shared.db];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "ignore"] });
  t.teardown(async () => {
    child.kill("SIGKILL");
    await once(child, "close");
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return (JSON.parse(line) as { deviceUrl: string }).deviceUrl;
}

test.serial(
  "one request 50 times at once, at two server processes on one database: stored once",
  async (t) => {
    const device = await newDevice();
    const elsewhere = new DeviceClient(await secondProcess(t), { id: device.id, key: device.key });
    const { bytes, tag } = device.seal({ r: [device.reading("a", 1), device.reading("a", 2)] });
    const [accepted, duplicates] = [
      await shared.metric("broome_sync_accepted_total"),
      await shared.metric("broome_sync_duplicate_total"),
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? device : elsewhere).send(bytes)),
    );
    for (const { body } of answers) t.deepEqual(device.open(tag, body).a, [1, 2]);
    const { body } = (await shared.admin("GET", `/api/devices/${device.id}/readings`)) as { body: unknown[] };
    t.is(body.length, 2);
    const here = (await shared.metric("broome_sync_accepted_total")) - accepted;
    t.true(here <= 1);
    t.is((await shared.metric("broome_sync_duplicate_total")) - duplicates, 25 - here);
  },
);

test.serial("replays are known after a restart", async (t) => {
  const server = await startTestServer();
  t.teardown(() => server.close());
  const device = await newDevice(server);
  const first = await device.sync();
  const latest = await device.sync({ r: [device.reading("a", 1)] });
  await server.restart();
  const moved = new DeviceClient(server.server.deviceUrl, { id: device.id, key: device.key });
  const before = server.tables();
  t.is(moved.open(first.tag, (await moved.send(first.bytes)).body).e, "stale");
  t.deepEqual(moved.open(latest.tag, (await moved.send(latest.bytes)).body).a, [1, 1]);
  t.is(server.tables(), before);
});

test.serial("a lost reply loses and doubles nothing", async (t) => {
  const device = await newDevice();
  const readings = [device.reading("a", 1), device.reading("a", 2)];
  await device.sync({ r: readings }); // whose reply, say, was lost
  const { reply } = await device.sync({ r: [...readings, device.reading("a", 3)] });
  t.deepEqual(reply!.a, [1, 3]);
  const { body } = (await shared.admin("GET", `/api/devices/${device.id}/readings`)) as {
    body: { value: number }[];
  };
  t.deepEqual(
    body.map(({ value }) => value),
    [3, 2, 1],
  );
});

test.serial("a device whose store was lost is on line after one more round trip", async (t) => {
  const device = await newDevice();
  device.b = 7;
  await device.sync();
  Object.assign(device, { b: 1, s: 0 });
  const { reply } = await device.sync();
  t.like(reply, { e: "stale", hb: 7 });
  Object.assign(device, { b: reply!.hb! + 1, s: 0 });
  t.is((await device.sync()).reply!.e, undefined);
});

test.serial("more than three stale messages an hour make a device suspect", async (t) => {
  const device = await newDevice();
  const { bytes } = await device.sync();
  await device.sync();
  const suspect = async () =>
    ((await shared.admin("GET", `/api/devices/${device.id}`)) as { body: { suspect: boolean } }).body.suspect;
  for (let i = 0; i < 3; i += 1) await device.send(bytes);
  t.false(await suspect());
  await device.send(bytes);
  t.true(await suspect());
});

test.serial("a blocked device gets what an unknown one gets", async (t) => {
  const device = await newDevice();
  t.is((await shared.admin("POST", `/api/devices/${device.id}/block`)).status, 200);
  await refuses(t, device, [device.seal().bytes]);
  t.is((await shared.admin("POST", `/api/devices/${device.id}/approve`, {})).status, 400);
  t.is((await shared.admin("POST", `/api/devices/${device.id}/approve`, { withoutCode: true })).status, 200);
  t.is((await device.sync()).answer.status, 200);
});

test.serial("a reply is held until a pin changes, and only then", async (t) => {
  const device = await newDevice();
  const started = Date.now();
  const held = device.sync({ w: 20 });
  await shared.holding(1);
  await shared.admin("PUT", `/api/devices/${device.id}/pins/V1`, { value: "on" });
  t.like((await held).reply, { p: 1, w: [[1, 1, "on"]] });
  t.true(Date.now() - started < 15_000);
  await shared.holding(0);
});

test.serial("a hold ends at its time", async (t) => {
  const device = await newDevice();
  const started = Date.now();
  const { reply } = await device.sync({ w: 1 });
  t.is(reply!.w, undefined);
  t.true(Date.now() - started >= 990);
});

test.serial("what needs an answer is not held", async (t) => {
  const device = await newDevice();
  const started = Date.now();
  await device.sync({ w: 20, r: [device.reading("a", 1)] });
  await device.sync({ w: 20, l: [[1, "power-on", "1.0.0", 0, ""]] });
  await device.sync({ w: 20, v: [[1, "x"]] });
  await device.sync({ w: 20, o: { state: "idle" } });
  t.true(Date.now() - started < 15_000);
});

test.serial("a newer request ends the older hold; a closed connection leaves none", async (t) => {
  const device = await newDevice();
  const older = device.sync({ w: 20 });
  await shared.holding(1);
  const abort = new AbortController();
  const newer = device.sync({ w: 20 }, abort.signal);
  t.is((await older).reply!.e, undefined);
  t.is(await shared.metric("broome_holds_open"), 1);
  abort.abort();
  await t.throwsAsync(newer, { any: true });
  await shared.holding(0);
  t.is((await device.sync()).reply!.e, undefined);
});

test.serial("closing the server answers what it holds", async (t) => {
  const server = await startTestServer();
  const device = await newDevice(server);
  const held = device.sync({ w: 50 });
  await server.holding(1);
  const started = Date.now();
  await server.close();
  t.truthy((await held).reply);
  t.true(Date.now() - started < 30_000);
  await server.server.close(); // a second time does nothing
});

test.serial("pins are repeated until they are processed, the latest of each, as many as fit", async (t) => {
  const device = await newDevice();
  const put = (pin: number, value: string) =>
    shared.admin("PUT", `/api/devices/${device.id}/pins/V${pin}`, { value });
  await put(1, "a");
  await put(2, "b");
  await put(1, "c");
  t.deepEqual((await device.sync()).reply!.w, [
    [2, 2, "b"],
    [3, 1, "c"],
  ]);
  t.deepEqual((await device.sync()).reply!.w, [
    [2, 2, "b"],
    [3, 1, "c"],
  ]);
  t.deepEqual((await device.sync({ p: 2 })).reply!.w, [[3, 1, "c"]]);
  t.is((await device.sync({ p: 3 })).reply!.w, undefined);
  for (let pin = 10; pin < 20; pin += 1) await put(pin, "x".repeat(200));
  let p = 3;
  for (let round = 0; round < 10 && p < 13; round += 1) {
    const { reply, answer } = await device.sync({ p, m: 1000 });
    t.true(answer.body.length <= 1000);
    t.is(reply!.p, reply!.w!.at(-1)![0]);
    p = reply!.p!;
  }
  t.is(p, 13);
});

test.serial("configuration is sent until it is applied; properties come back after a boot", async (t) => {
  const device = await newDevice();
  t.like((await shared.admin("PUT", `/api/devices/${device.id}/config`, { interval: 5 })).body, { sn: 1 });
  t.deepEqual((await device.sync()).reply!.c, { n: 1, v: { interval: 5 } });
  t.is((await device.sync({ c: 1, d: { count: 3 } })).reply!.c, undefined);
  t.like((await shared.admin("GET", `/api/devices/${device.id}/config`)).body, { sn: 1, applied: 1 });
  Object.assign(device, { b: 2, s: 0 });
  t.deepEqual((await device.sync({ c: 1 })).reply!.d, { count: 3 });
  t.is((await device.sync({ c: 1 })).reply!.d, undefined);
});
