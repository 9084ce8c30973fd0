// serve, keys, join-keys, release and ota as a user runs them, one after the other on one server.

import test from "ava";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { encodeDefaults, findDefaults } from "../../../firmware/format/defaults-block.js";
import { mendImage } from "../../../firmware/format/image.js";
import { crypto } from "../../../host/crypto.js";
import { ABOUT, DeviceClient } from "../../support/device-client.js";
import { testImage } from "../../support/release.js";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const folder = mkdtempSync(join(tmpdir(), "broome-serve-"));

interface Ready {
  url: string;
  deviceUrl: string;
  adminTokenFile: string;
}

let server: ChildProcess;
let ready: Ready;
let serverLog = "";

function start(argv: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(root, "tools/bin/broome.mjs"), ...argv], {
    cwd: folder,
    env: {
      ...process.env,
      NO_COLOR: "1",
      BROOME_KEYS: join(folder, "keys"),
      BROOME_KEY_PASSPHRASE: "",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Runs a verb to its end; the last line of stdout, parsed. */
async function broome(argv: string[], env: Record<string, string> = {}) {
  const child = start([...argv, "--json"], {
    BROOME_SERVER: ready.url,
    BROOME_ADMIN_TOKEN: readFileSync(ready.adminTokenFile, "utf8").trim(),
    ...env,
  });
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  return { status, stderr, json: JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, never> };
}

/** A folder as `broome build` leaves it, as far as publishing is concerned. */
function buildFolder(name: string, image: Uint8Array, updateKeys: [string, string][]): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "app.bin"), image);
  const config = { product: "broome-example", chip: "esp32c3", layout: "4mb-2slot", updateKeys };
  writeFileSync(join(path, "build.json"), JSON.stringify({ config }));
  return path;
}

test.before(async () => {
  server = start(["serve", "--port", "0", "--admin-port", "0", "--db", join(folder, "db", "broome.db")]);
  server.stderr!.on("data", (chunk: Buffer) => (serverLog += chunk.toString()));
  const [line] = (await once(createInterface(server.stdout!), "line")) as [string];
  ready = JSON.parse(line) as Ready;
});
test.after.always(async () => {
  if (server.exitCode === null) {
    server.kill("SIGKILL");
    await once(server, "close");
  }
  rmSync(folder, { recursive: true, force: true });
});

test.serial("serve says where it is, and on loopback what real boards need", async (t) => {
  t.deepEqual(Object.keys(ready), ["url", "deviceUrl", "adminTokenFile"]);
  t.regex(ready.deviceUrl, /^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{22}$/);
  t.like(await (await fetch(`${ready.url}/api/`)).json(), { message: "Broome" });
  for (let i = 0; i < 100 && !serverLog.includes("Real boards"); i += 1)
    await new Promise((done) => setTimeout(done, 20));
  t.regex(serverLog, /Real boards cannot reach a loopback address/);
  t.is((await fetch(ready.url)).headers.get("content-security-policy")?.includes("default-src 'none'"), true);
});

test.serial("join keys: made, listed, revoked", async (t) => {
  const made = await broome(["join-keys", "create", "--label", "workshop", "--uses", "2", "--expires", "7d"]);
  t.like(made, { status: 0, json: { ok: true, label: "workshop", uses: 2 } });
  const { kid, key } = made.json as unknown as { kid: string; key: string };
  const device = new DeviceClient(ready.deviceUrl);
  await device.join(key);
  t.is((await broome(["join-keys", "revoke", kid])).status, 0);
  await t.throwsAsync(device.join(key), { message: /join-rejected/ });
  const { json } = await broome(["join-keys", "list"]);
  t.like((json.keys as object[])[0], { kid, revoked: true });
  t.false(JSON.stringify(json).includes(key));
  t.like(await broome(["join-keys", "revoke", "AAAAAAAA"]), {
    status: 1,
    json: { ok: false, code: "not-found" },
  });
  t.like(await broome(["join-keys", "create", "--uses", "0"]), { status: 2, json: { code: "usage" } });
});

test.serial("a release goes from a build's folder to a device", async (t) => {
  const keys = await broome(["keys", "init", "--demo"]);
  t.like(keys, { status: 0, json: { ok: true, demo: true, made: true } });
  t.like((await broome(["keys", "init", "--demo"])).json, { kid: keys.json.kid, made: false });
  const trusted: [string, string][] = [[keys.json.kid, keys.json.key]];
  const build = buildFolder("build-1", testImage("1.0.1"), trusted);
  t.like(await broome(["release", "publish", build]), {
    status: 0,
    json: { ok: true, version: "1.0.1", kid: keys.json.kid },
  });
  t.like(await broome(["release", "publish", build]), {
    status: 1,
    json: { ok: false, code: "release-exists" },
  });

  const registered = await fetch(`${ready.url}/api/devices`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${readFileSync(ready.adminTokenFile, "utf8").trim()}`,
      "content-type": "application/json",
    },
    body: '{"name":"porch"}',
  });
  const device = new DeviceClient(ready.deviceUrl, (await registered.json()) as { id: string; key: string });
  await device.sync({ x: ABOUT });
  t.like(await broome(["ota", "trigger", "porch"]), {
    status: 0,
    json: { ok: true, running: "1.0.0", offered: "1.0.1" },
  });
  t.is((await device.sync()).reply!.u!.v, "1.0.1");
  t.like(await broome(["ota", "trigger", "porch", "--version", "0.1.0"]), {
    status: 1,
    json: { code: "release-unknown" },
  });
  t.like(await broome(["ota", "trigger", "nobody"]), { status: 1, json: { code: "not-found" } });
  t.like(await broome(["release", "withdraw", "1.0.1"]), { status: 0, json: { withdrawn: true } });
  t.like(((await broome(["release", "list"])).json.releases as object[])[0], {
    version: "1.0.1",
    withdrawn: true,
  });
});

test.serial("what may not be released is refused before anything is sent", async (t) => {
  const { json } = await broome(["keys", "list"]);
  const [{ kid, key }] = json.keys as [{ kid: string; key: string }];
  const image = testImage("2.0.0");
  const personal = image.slice();
  personal.set(encodeDefaults({ "wifi.ssid": "home" }), findDefaults(image).offset);
  mendImage(personal, () => crypto.createSha256());
  const rows: [folder: string, code: string, argv: string[], env?: Record<string, string>][] = [
    [buildFolder("personal", personal, [[kid, key]]), "image-personalised", []],
    [buildFolder("untrusted", image, [["other", "A".repeat(43)]]), "key-unknown", []],
    [buildFolder("no-keys", image, []), "key-unknown", ["--key", kid]],
    [buildFolder("cut", image.slice(0, 3000), [[kid, key]]), "image-truncated", []],
    [buildFolder("good", image, [[kid, key]]), "key-unknown", ["--key", "nobody"]],
    [join(folder, "good"), "key-demo", [], { BROOME_SERVER: "http://192.0.2.1:3001" }],
    [join(folder, "good"), "server-unreachable", [], { BROOME_SERVER: "http://127.0.0.1:9" }],
    [join(folder, "good"), "not-admin", [], { BROOME_ADMIN_TOKEN: "A".repeat(22) }],
    [join(folder, "nowhere"), "image-truncated", []],
  ];
  for (const [path, code, argv, env] of rows) {
    const answer = await broome(["release", "publish", path, ...argv], env);
    t.is(answer.json.code, code as never, path);
    t.is(answer.status, 1);
  }
  t.is(((await broome(["release", "list"])).json.releases as object[]).length, 1);
  t.like(await broome(["release", "publish", join(folder, "personal"), "--blank"]), {
    status: 0,
    json: { version: "2.0.0" },
  });
});

test.serial("a real key wants its passphrase", async (t) => {
  const directory = join(folder, "real-keys");
  const init = (env: Record<string, string>) => broome(["keys", "init", "--keys", directory], env);
  t.like((await init({})).json, { ok: false, code: "passphrase-missing" });
  t.like((await init({ BROOME_KEY_PASSPHRASE: "short" })).json, { ok: false, code: "passphrase-short" });
  const env = { BROOME_KEY_PASSPHRASE: "correct horse" };
  const made = await init(env);
  t.like(made.json, { ok: true, demo: false });
  t.like((await init(env)).json, { ok: false, code: "key-exists" });
  const build = buildFolder("build-3", testImage("3.0.0"), [[made.json.kid, made.json.key]]);
  const publish = (passphrase: string) =>
    broome(["release", "publish", build, "--keys", directory], { BROOME_KEY_PASSPHRASE: passphrase });
  t.is((await publish("wrong horse")).json.code, "passphrase-wrong" as never);
  t.like((await publish("correct horse")).json, { ok: true, version: "3.0.0", kid: made.json.kid });
});

test.serial("Ctrl-C ends the server: exit 130, and the database opens again", async (t) => {
  server.kill("SIGINT");
  const [status] = (await once(server, "close")) as [number];
  t.is(status, 130);
  const again = start(["serve", "--port", "0", "--admin-port", "0", "--db", join(folder, "db", "broome.db")]);
  const [line] = (await once(createInterface(again.stdout!), "line")) as [string];
  t.is(
    (JSON.parse(line) as Ready).deviceUrl.split("#")[1],
    ready.deviceUrl.split("#")[1],
    "the same server to its devices",
  );
  again.kill("SIGTERM");
  await once(again, "close");
});
