// `broome patch` and `broome image-info` as commands: files before and after, where values come from, registration.

import test from "ava";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb as imageInfo } from "../../../tools/commands/image-info.js";
import { verb as patch } from "../../../tools/commands/patch.js";
import { readValues } from "../../../tools/patch/patch.js";
import { sha256, testImage } from "../../firmware/format/test-image.js";
import { root, runVerb as run } from "../../support/run-verb.js";
import { startTestServer } from "../../support/test-server.js";

const answers = {
  "wifi.ssid": "home",
  "wifi.password": "correct horse",
  "device.name": "Bret's gadget",
  "server.url": "http://127.0.0.1:3000/#abcdefghijklmnopqrstuv",
};

function setUp(t: { teardown(fn: () => void): void }): { folder: string; image: string; from: string } {
  const folder = mkdtempSync(join(tmpdir(), "broome-patch-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const image = join(folder, "app.bin");
  const from = join(folder, "answers.json");
  writeFileSync(image, testImage());
  writeFileSync(from, JSON.stringify(answers));
  return { folder, image, from };
}

const valuesIn = (path: unknown) => readValues(new Uint8Array(readFileSync(path as string)), { sha256 });

test("the result lies beside the image, readable by its owner alone; the image is untouched", async (t) => {
  const { image, from, folder } = setUp(t);
  const { result, text } = await run(patch, [image, "--from", from, "--set", "x.colour=blue"]);
  t.is(result?.out, join(folder, "app_patched.bin"));
  t.is(statSync(result?.out as string).mode & 0o777, 0o600);
  t.deepEqual(valuesIn(result?.out), { ...answers, "x.colour": "blue" });
  t.deepEqual(new Uint8Array(readFileSync(image)), testImage());
  t.deepEqual(
    (result?.changed as { what: string }[]).map(({ what }) => what),
    ["defaults", "checksum", "SHA-256"],
  );
  t.regex(text, /credentials/);
  t.notRegex(text, /correct horse/);
  t.deepEqual(readdirSync(folder).sort(), ["answers.json", "app.bin", "app_patched.bin"]);
});

test("in a chain the app of the build is patched and handed on", async (t) => {
  const { folder, from } = setUp(t);
  const chain = { dir: folder };
  await run(patch, ["--from", from], { chain });
  t.deepEqual(chain, { dir: folder, image: join(folder, "app_patched.bin") } as never);
});

test.serial("secrets come from the environment as well, a file goes before it", async (t) => {
  const { image, from, folder } = setUp(t);
  process.env.BROOME_WIFI_PASSWORD = "from environment";
  process.env.BROOME_JOIN_KEY = "B".repeat(30);
  process.env.BROOME_SMARTCONFIG_KEY = "C".repeat(16);
  t.teardown(() => {
    delete process.env.BROOME_WIFI_PASSWORD;
    delete process.env.BROOME_JOIN_KEY;
    delete process.env.BROOME_SMARTCONFIG_KEY;
  });
  const alone = await run(patch, [image, "--set", "wifi.ssid=home"]);
  const expected = {
    "wifi.ssid": "home",
    "wifi.password": "from environment",
    "join.key": "B".repeat(30),
    "smartconfig.key": "C".repeat(16),
  };
  t.deepEqual(valuesIn(alone.result?.out), expected);
  const out = join(folder, "2.bin");
  const both = await run(patch, [image, "--from", from, "-o", out]);
  t.like(valuesIn(both.result?.out), { "wifi.password": "correct horse", "join.key": "B".repeat(30) });
});

test("--blank gives the built image back, --show writes nothing and masks", async (t) => {
  const { image, from, folder } = setUp(t);
  const { result } = await run(patch, [image, "--from", from]);
  const shown = await run(patch, [result?.out as string, "--show"]);
  t.deepEqual(shown.result?.values, { ...answers, "wifi.password": "c********e" });
  const out = join(folder, "blank.bin");
  t.is((await run(patch, [result?.out as string, "--blank", "-o", out])).code, undefined);
  t.deepEqual(readFileSync(out), readFileSync(image));
  t.regex((await run(patch, [image, "--show"])).text, /blank/);
});

const truncated = testImage().subarray(0, 1000);
const signed = new Uint8Array(8192 + 4096).fill(0xff);
signed.set(testImage());
signed.set([0xe7, 2, 0, 0], 8192);
const badImages: [string, Uint8Array][] = [
  ["defaults-missing", testImage({ block: new Uint8Array(1024) })],
  ["defaults-ambiguous", testImage({ block: new Uint8Array([...blank(), ...blank()]) })],
  ["image-truncated", truncated],
  ["image-corrupt", testImage().fill(1, 0x400, 0x410)],
  ["image-signed", signed],
  ["image-encrypted", Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 8)) & 0xff)],
];
for (const [code, bytes] of badImages)
  test(`${code}: nothing is written, the file stays as it is`, async (t) => {
    const { image, from, folder } = setUp(t);
    writeFileSync(image, bytes);
    t.is((await run(patch, [image, "--from", from])).code, code);
    t.deepEqual(new Uint8Array(readFileSync(image)), bytes);
    t.deepEqual(readdirSync(folder).sort(), ["answers.json", "app.bin"]);
  });

const badValues: [string, Record<string, unknown> | string | Uint8Array, string[]][] = [
  ["value-too-long", { "wifi.ssid": "x".repeat(33) }, []],
  [
    "value-too-long",
    Object.fromEntries(["a", "b", "c", "d", "e"].map((k) => [`x.${k}`, "y".repeat(250)])),
    [],
  ],
  ["value-not-utf8", new Uint8Array([...Buffer.from('{"wifi.ssid":"caf'), 0xe9, ...Buffer.from('"}')]), []],
  ["value-not-utf8", '{"wifi.ssid":"\\ud800"}', []],
  ["value-invalid", { "wifi.password": "short" }, []],
  ["unknown-key", { "wifi.pasword": "correct horse" }, []],
  ["answers-invalid", '{"wifi.password": "hunter22', []],
  ["answers-invalid", "[1]", []],
  ["secret-on-command-line", {}, ["--set", "wifi.password=hunter22"]],
  ["secret-on-command-line", {}, ["--set", "join.key=hunter22"]],
  ["secret-on-command-line", {}, ["--set", "device.key=hunter22"]],
  ["secret-on-command-line", {}, ["--set", "smartconfig.key=hunter22"]],
  ["unknown-key", {}, ["--set", "colour=blue"]],
  ["usage", {}, ["--set", "wifi.ssid"]],
];
for (const [code, content, argv] of badValues)
  test(`${code} ${JSON.stringify(content).slice(0, 40)} ${argv.join(" ")}: nothing is written`, async (t) => {
    const { image, from, folder } = setUp(t);
    writeFileSync(
      from,
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
    const run1 = await run(patch, [image, "--from", from, ...argv]);
    t.is(run1.code, code);
    t.notRegex(run1.text, /hunter22/);
    t.deepEqual(new Uint8Array(readFileSync(image)), testImage());
    t.deepEqual(readdirSync(folder).sort(), ["answers.json", "app.bin"]);
  });

test("no image, a missing image, no values, the image as its own output: said, and nothing written", async (t) => {
  const { image, from, folder } = setUp(t);
  t.is((await run(patch, [join(folder, "gone.bin"), "--from", from])).code, "file-unreadable");
  t.is((await run(patch, [image])).code, "usage");
  t.is((await run(patch, [image, "--from", from, "-o", image])).code, "usage");
  t.is(
    (await run(patch, [image, "--from", from, "-o", join(folder, "no/such/out.bin")])).code,
    "file-unwritable",
  );
  t.deepEqual(readdirSync(folder).sort(), ["answers.json", "app.bin"]);
});

test.serial("--register puts a registered device's id and key in", async (t) => {
  const { image, from } = setUp(t);
  const server = await startTestServer();
  t.teardown(() => server.close());
  process.env.BROOME_ADMIN_TOKEN = readFileSync(server.server.adminTokenFile, "utf8").trim();
  const { result } = await run(patch, [image, "--from", from, "--register"], { server: server.server.url });
  const values = valuesIn(result?.out);
  t.like(values, answers);
  t.regex(values["device.key"] as string, /^[\w-]{43}$/);
  const { status, body } = await server.admin("GET", `/api/devices/${values["device.id"]}`);
  t.is(status, 200);
  t.like(body, { name: "Bret's gadget", state: "approved" });

  const before = server.tables();
  process.env.BROOME_ADMIN_TOKEN = "wrong";
  t.is((await run(patch, [image, "--register"], { server: server.server.url })).code, "not-admin");
  delete process.env.BROOME_ADMIN_TOKEN;
  const none = await run(patch, [image, "--register", "--token-file", "/nowhere"], {
    server: server.server.url,
  });
  t.is(none.code, "token-missing");
  t.is((await run(patch, [image, "--register"], { server: "nonsense" })).code, "server-unreachable");
  t.is(server.tables(), before);

  const file = ["--token-file", server.server.adminTokenFile];
  const other = await run(patch, [image, "--register", ...file], { server: server.server.url });
  t.is(typeof valuesIn(other.result?.out)["device.id"], "string");
});

test.serial(
  "a bad image is refused before the server hears of a device; a server's nonsense writes nothing",
  async (t) => {
    const { image, folder } = setUp(t);
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end("<html>captive portal</html>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.BROOME_ADMIN_TOKEN = "token";
    t.is((await run(patch, [image, "--register"], { server: url })).code, "server-refused");
    t.is(asked, 1);
    writeFileSync(image, truncated);
    t.is((await run(patch, [image, "--register"], { server: url })).code, "image-truncated");
    t.is(asked, 1);
    t.is((await run(patch, [image, "--register"], { server: "http://127.0.0.1:1" })).code, "image-truncated");
    writeFileSync(image, testImage());
    t.is(
      (await run(patch, [image, "--register"], { server: "http://127.0.0.1:1" })).code,
      "server-unreachable",
    );
    delete process.env.BROOME_ADMIN_TOKEN;
    t.deepEqual(readdirSync(folder).sort(), ["answers.json", "app.bin"]);
  },
);

test("image-info tells a good image, a blank block and a broken sum", async (t) => {
  const { image, from, folder } = setUp(t);
  const good = await run(imageInfo, [image]);
  t.like(good.result, { chip: "ESP32-C3", entry: "0x40380000", flashMode: "DIO", flashSize: "4MB" });
  t.like(good.result?.app, { project: "broome-virtual", version: "1.0.0" });
  t.like(good.result?.defaults, { state: "blank", capacity: 996 });
  t.like(good.result?.checksum, { valid: true });
  t.like(good.result?.validationHash, { valid: true });

  const { result } = await run(patch, [image, "--from", from]);
  const personal = await run(imageInfo, [result?.out as string]);
  t.like(personal.result?.defaults, { state: "personalised", keys: Object.keys(answers) });
  t.notRegex(JSON.stringify(personal), /correct horse/);

  const broken = join(folder, "broken.bin");
  writeFileSync(broken, testImage().fill(1, 0x400, 0x401));
  const { result: bad } = await run(imageInfo, [broken]);
  t.like(bad?.checksum, { valid: false });
  t.like(bad?.validationHash, { valid: false });
  t.is((await run(imageInfo, [join(folder, "gone.bin")])).code, "file-unreadable");
});

test("the command itself: exit code, one JSON line, a result that others can find", (t) => {
  const { image, from, folder } = setUp(t);
  const argv = [join(root, "tools/bin/broome.mjs"), "patch", image, "--from", from, "--json"];
  const { status, stdout } = spawnSync(process.execPath, argv, { encoding: "utf8", cwd: folder });
  t.is(status, 0);
  const json = JSON.parse(stdout.trim()) as { ok: boolean; out: string };
  t.true(json.ok);
  t.like(valuesIn(json.out), answers);
});

function blank(): Uint8Array {
  return new Uint8Array(readFileSync(join(root, "firmware/resources/defaults.bin")));
}
