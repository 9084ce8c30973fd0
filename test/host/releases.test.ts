// Releases against a real server: what it takes in, how it hands files out, and whom it offers what.

import test, { type ExecutionContext } from "ava";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../../firmware/format/error.js";
import { encodeDefaults, findDefaults } from "../../firmware/format/defaults-block.js";
import { mendImage } from "../../firmware/format/image.js";
import { checkUpdate } from "../../firmware/protocol/update-checks.js";
import { crypto } from "../../host/crypto.js";
import { parseRange } from "../../host/routes/firmware.js";
import { ABOUT, DeviceClient } from "../support/device-client.js";
import { signTest, testImage, updateKey, uploadOf } from "../support/release.js";
import { startTestServer, type TestServer } from "../support/test-server.js";

interface Row {
  manifest: string;
  sha256: string;
  list: string;
  version: string;
}

async function newServer(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer();
  t.teardown(() => server.close());
  return server;
}

async function publish(
  server: TestServer,
  version: string,
  options: Parameters<typeof signTest>[1] = {},
): Promise<Row> {
  const { status, body } = await server.admin(
    "POST",
    "/api/releases",
    uploadOf(signTest(testImage(version), options)),
  );
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

async function newDevice(server: TestServer): Promise<DeviceClient> {
  const { body } = await server.admin("POST", "/api/devices", {});
  const device = new DeviceClient(server.server.deviceUrl, body);
  await device.sync({ x: ABOUT });
  return device;
}

function origin(server: TestServer): string {
  return server.server.deviceUrl.split("/#")[0]!;
}

test("a release is taken in once and its files are handed out as they are", async (t) => {
  const server = await newServer(t);
  const signed = signTest(testImage("1.0.1"));
  const { status, body } = await server.admin("POST", "/api/releases", uploadOf(signed));
  t.is(status, 201);
  const row = body as Row;
  t.like(row, {
    version: "1.0.1",
    product: "broome-example",
    chip: "esp32c3",
    kid: "test",
    withdrawn: false,
  });
  for (const [name, bytes] of [
    [`${row.sha256}.bin`, signed.image],
    [`${row.list}.list`, signed.list],
    [`${row.manifest}.jws`, signed.file],
  ] as const) {
    const response = await fetch(`${origin(server)}/fw/${name}`);
    t.is(response.status, 200);
    t.regex(response.headers.get("cache-control")!, /immutable/);
    const got = new Uint8Array(await response.arrayBuffer());
    t.deepEqual(got, new Uint8Array(bytes));
    t.is(createHash("sha256").update(got).digest("hex"), name.split(".")[0]!);
  }
  t.like(await server.admin("POST", "/api/releases", uploadOf(signed)), {
    status: 409,
    body: { code: "release-exists" },
  });
  const other = uploadOf(signTest(testImage("1.0.1", 9100)));
  t.like(await server.admin("POST", "/api/releases", other), {
    status: 409,
    body: { code: "release-exists" },
  });
});

test("a device would take what the server took", async (t) => {
  const server = await newServer(t);
  const row = await publish(server, "1.0.1");
  const file = new Uint8Array(await (await fetch(`${origin(server)}/fw/${row.manifest}.jws`)).arrayBuffer());
  const verdict = checkUpdate(crypto, file, {
    ...{
      offer: { v: "1.0.1", m: row.manifest },
      product: "broome-example",
      chip: "esp32c3",
      layout: "4mb-2slot",
    },
    ...{ version: "1.0.0", sc: 0, minimumSc: 0, slotSize: 0x1e0000, keys: [updateKey], failed: () => false },
  });
  t.is(verdict.refusal, undefined);
});

test("what is not a release in every byte is refused and leaves no file", async (t) => {
  const server = await newServer(t);
  const folder = join(server.folder, "broome.files");
  const image = testImage("1.0.1");
  const signed = signTest(image);
  const good = uploadOf(signed);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const flip = (bytes: Uint8Array, at: number) =>
    Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
  const personal = image.slice();
  personal.set(encodeDefaults({ "wifi.ssid": "home" }), findDefaults(image).offset);
  mendImage(personal, () => crypto.createSha256());
  const forged = (manifest: object, of: Uint8Array) => {
    const parts = good.manifest.split(".");
    const payload = { ...JSON.parse(Buffer.from(parts[1]!, "base64url").toString()), ...manifest };
    const sha256 = createHash("sha256").update(of).digest("hex");
    const text = JSON.stringify({ ...payload, sha256, ...("size" in manifest ? {} : { size: of.length }) });
    return [parts[0], Buffer.from(text).toString("base64url"), parts[2]].join(".");
  };
  const rows: [what: string, code: string, body: object][] = [
    ["image flipped", "manifest-mismatch", { ...good, image: base64(flip(image, 5000)) }],
    ["image cut", "manifest-mismatch", { ...good, image: base64(image.slice(0, -1)) }],
    ["list flipped", "manifest-mismatch", { ...good, list: base64(flip(signed.list, 3)) }],
    [
      "another list in the manifest",
      "manifest-mismatch",
      { ...good, manifest: forged({ list: "0".repeat(64) }, image) },
    ],
    [
      "the list of another image",
      "manifest-mismatch",
      { ...good, ...listed(flip(image, 5000), forged, image) },
    ],
    [
      "another version in the manifest",
      "manifest-mismatch",
      { ...good, manifest: forged({ version: "9.0.0" }, image) },
    ],
    ["another counter in the manifest", "manifest-mismatch", { ...good, manifest: forged({ sc: 7 }, image) }],
    [
      "another block in the manifest",
      "manifest-mismatch",
      { ...good, manifest: forged({ block: [0, 996, 1] }, image) },
    ],
    [
      "corrupt though signed",
      "image-corrupt",
      { ...good, image: base64(flip(image, 5000)), ...listed(flip(image, 5000), forged) },
    ],
    ["personalised", "image-personalised", { ...good, image: base64(personal), ...listed(personal, forged) }],
    ["no manifest", "manifest-malformed", { ...good, manifest: "x" }],
    [
      "alg none",
      "manifest-malformed",
      {
        ...good,
        manifest: `${Buffer.from('{"alg":"none"}').toString("base64url")}.${good.manifest.split(".")[1]}.`,
      },
    ],
    ["no base64", "bad-request", { ...good, image: "####" }],
    ["nothing", "bad-request", {}],
  ];
  for (const [what, code, body] of rows) {
    const answer = await server.admin("POST", "/api/releases", body);
    t.is((answer.body as { code: string }).code, code, what);
    t.true(answer.status >= 400 && answer.status < 500, what);
  }
  t.deepEqual(readdirSync(folder), []);
  t.deepEqual((await server.admin("GET", "/api/releases")).body, []);
});

/** The list of `image` in a manifest for `of`. */
function listed(image: Uint8Array, forged: (manifest: object, of: Uint8Array) => string, of = image) {
  const entries = [];
  for (let at = 0; at < image.length; at += 4096)
    entries.push(
      createHash("sha256")
        .update(image.subarray(at, at + 4096))
        .digest()
        .subarray(0, 16),
    );
  const list = Buffer.concat(entries);
  const digest = createHash("sha256").update(list).digest("hex");
  return { list: list.toString("base64"), manifest: forged({ list: digest }, of) };
}

test("ranges are answered exactly", async (t) => {
  const server = await newServer(t);
  const row = await publish(server, "1.0.1");
  const url = `${origin(server)}/fw/${row.sha256}.bin`;
  const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const size = whole.length;
  const rows: [range: string, status: number, first: number, last: number][] = [
    ["bytes=0-4095", 206, 0, 4095],
    ["bytes=4096-8191", 206, 4096, 8191],
    [`bytes=${size - 1}-`, 206, size - 1, size - 1],
    [`bytes=8192-${size + 100}`, 206, 8192, size - 1],
    ["bytes=-16", 206, size - 16, size - 1],
    [`bytes=-${size * 2}`, 206, 0, size - 1],
    ["bytes=5-4", 200, 0, size - 1],
    ["bytes=0-1,4-5", 200, 0, size - 1],
    ["lines=0-1", 200, 0, size - 1],
    ["bytes=-", 200, 0, size - 1],
  ];
  for (const [range, status, first, last] of rows) {
    const response = await fetch(url, { headers: { range } });
    t.is(response.status, status, range);
    t.is(
      response.headers.get("content-range"),
      status === 206 ? `bytes ${first}-${last}/${size}` : null,
      range,
    );
    t.deepEqual(new Uint8Array(await response.arrayBuffer()), whole.slice(first, last + 1), range);
  }
  for (const range of [`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, "bytes=-0"]) {
    const response = await fetch(url, { headers: { range } });
    t.is(response.status, 416, range);
    t.is(response.headers.get("content-range"), `bytes */${size}`);
  }
  t.is(parseRange(undefined, 10), undefined);
  t.throws(() => parseRange("bytes=10-", 10), { code: "range-not-satisfiable" });
});

test("no other file is handed out", async (t) => {
  const server = await newServer(t);
  const row = await publish(server, "1.0.1");
  for (const name of [
    `${row.sha256}.jws`,
    `${row.sha256}`,
    `${row.sha256}.bin.bin`,
    `${row.sha256.toUpperCase()}.bin`,
    `${"0".repeat(64)}.bin`,
    "..%2Fbroome.db",
    "..%2F..%2Fetc%2Fpasswd",
    `${row.sha256}.toString`,
  ])
    t.is((await fetch(`${origin(server)}/fw/${name}`)).status, 404, name);
});

test("V100 raised: the newest release that fits is offered until the device runs it", async (t) => {
  const server = await newServer(t);
  const device = await newDevice(server);
  await publish(server, "0.9.0");
  await publish(server, "1.0.1");
  const newest = await publish(server, "1.2.0");
  await publish(server, "2.0.0", { min: "1.1.0" });
  await publish(server, "3.0.0", { product: "another" });
  t.is((await device.sync()).reply!.u, undefined, "nothing is offered unasked");
  const held = device.sync({ w: 20 });
  await server.holding(1);
  t.like(await server.admin("POST", `/api/devices/${device.id}/ota`, {}), {
    status: 200,
    body: { offered: "1.2.0" },
  });
  const offer = { v: "1.2.0", m: newest.manifest };
  t.like((await held).reply, { w: [[1, 100, "1"]], u: offer });
  const started = Date.now();
  t.deepEqual((await device.sync({ p: 1, w: 20 })).reply!.u, offer, "at once: the trigger was carried");
  t.true(Date.now() - started < 15_000);
  const waiting = device.sync({ p: 1, w: 1 });
  t.deepEqual((await waiting).reply!.u, offer, "told already: held to its end, and said again");
  t.true(Date.now() - started > 900);
  await device.sync({ p: 1, o: { state: "downloading", percent: 40, version: "1.2.0" } });
  t.like((await server.admin("GET", `/api/devices/${device.id}`)).body, {
    ota: { state: "downloading", percent: 40 },
    offer: { manifest: newest.manifest },
  });
  t.is(
    (await device.sync({ p: 1, x: { ...ABOUT, version: "1.2.0" }, o: { state: "trial", version: "1.2.0" } }))
      .reply!.u,
    undefined,
  );
  t.like((await server.admin("GET", `/api/devices/${device.id}`)).body, { version: "1.2.0", offer: null });
});

test("a version can be named; a lower one is only an admin's to offer, and never a pin's", async (t) => {
  const server = await newServer(t);
  const device = await newDevice(server);
  await publish(server, "0.9.0");
  await publish(server, "1.0.1");
  await publish(server, "1.0.2");
  const path = `/api/devices/${device.id}`;
  t.like(await server.admin("PUT", `${path}/pins/V100`, { value: "1.0.1" }), { status: 200 });
  t.is((await device.sync()).reply!.u!.v, "1.0.1");
  t.like(await server.admin("PUT", `${path}/pins/V100`, { value: "0.9.0" }), {
    status: 409,
    body: { code: "release-not-newer" },
  });
  t.like(await server.admin("PUT", `${path}/pins/V100`, { value: "7.0.0" }), {
    status: 404,
    body: { code: "release-unknown" },
  });
  t.is((await device.sync()).reply!.u!.v, "1.0.1", "a refused trigger changes nothing");
  t.is((await server.admin("POST", `${path}/ota`, { version: "0.9.0" })).status, 409);
  t.like(await server.admin("POST", `${path}/ota`, { version: "0.9.0", down: true, again: true }), {
    status: 200,
  });
  t.like((await device.sync()).reply!.u, { v: "0.9.0", down: true, again: true });
  await server.admin("PUT", `${path}/pins/V100`, { value: 0 });
  t.is((await device.sync()).reply!.u, undefined, "taken back");
});

for (const state of ["rolled-back", "failed"] as const)
  test(`an offer ends when the device is ${state}, until it is asked again`, async (t) => {
    const server = await newServer(t);
    const device = await newDevice(server);
    await publish(server, "1.0.1");
    await server.admin("POST", `/api/devices/${device.id}/ota`, {});
    t.truthy((await device.sync()).reply!.u);
    t.is(
      (await device.sync({ o: { state, version: "1.0.1", reason: "no bound reply" } })).reply!.u,
      undefined,
    );
    t.is((await device.sync()).reply!.u, undefined);
    await server.admin("POST", `/api/devices/${device.id}/ota`, { again: true });
    t.like((await device.sync()).reply!.u, { v: "1.0.1", again: true });
  });

test("a device that checks by itself gets the newest offer", async (t) => {
  const server = await newServer(t);
  const device = await newDevice(server);
  await publish(server, "1.0.1");
  t.is((await device.sync({ o: { state: "checking" } })).reply!.u!.v, "1.0.1");
});

test("with nothing newer the trigger is raised and nothing offered", async (t) => {
  const server = await newServer(t);
  const device = await newDevice(server);
  await publish(server, "1.0.0");
  t.like(await server.admin("POST", `/api/devices/${device.id}/ota`, {}), {
    status: 200,
    body: { offered: null },
  });
  const { reply } = await device.sync();
  t.deepEqual(reply!.w, [[1, 100, "1"]]);
  t.is(reply!.u, undefined);
});

test("a withdrawn release is neither offered nor handed out", async (t) => {
  const server = await newServer(t);
  const device = await newDevice(server);
  const row = await publish(server, "1.0.1");
  await server.admin("POST", `/api/devices/${device.id}/ota`, {});
  t.like(await server.admin("POST", "/api/releases/1.0.1/withdraw"), {
    status: 200,
    body: { withdrawn: true },
  });
  t.is((await device.sync()).reply!.u, undefined);
  t.is((await fetch(`${origin(server)}/fw/${row.sha256}.bin`)).status, 404);
  t.is((await server.admin("POST", "/api/releases/1.0.1/withdraw")).status, 404);
  t.is(
    (await server.admin("POST", "/api/releases", uploadOf(signTest(testImage("1.0.1"))))).status,
    201,
    "it can come back",
  );
});

test("an image without a key that it trusts, or with somebody's values, is not signed", (t) => {
  const image = testImage("1.0.1");
  const personal = image.slice();
  personal.set(encodeDefaults({ "wifi.ssid": "home" }), findDefaults(image).offset);
  mendImage(personal, () => crypto.createSha256());
  t.throws(() => signTest(personal), { code: "image-personalised" });
  t.throws(() => signTest(image.slice(0, 1000)), { instanceOf: FormatError });
});
