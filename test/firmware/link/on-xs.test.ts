// The device's side on the real engine: same limits as an ESP8266's, the server's side in this process.

import test from "ava";
import type { IncomingMessage, ServerResponse } from "node:http";
import { formatJoinKey, makeM2, openM1, openM3, parseJoinRequest } from "../../../firmware/protocol/join.js";
import type { Admitted, ServerJoin } from "../../../firmware/protocol/join.js";
import {
  deriveKeys,
  openRequest,
  parseSealed,
  sealReply,
  tagText,
} from "../../../firmware/protocol/sealed.js";
import { decodeRequest, encodeReply } from "../../../firmware/protocol/sync-message.js";
import { assembleManifest, encodePayload, signingInput } from "../../../firmware/protocol/update-manifest.js";
import { crypto } from "../../../host/crypto.js";
import { generateKeyPairSync, sign } from "node:crypto";
import { serveSite } from "../../support/http-site.js";
import { about, joinKey, pin, serverKey } from "../../support/join-parties.js";
import { runOnXs } from "../../support/xs-machine.js";
import { testEngine } from "../../tools/engine/run-modules.js";

const image = crypto.random(10 * 4096);

/** An update manifest as large as they come, and what the device knows of it. */
function release() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key: [string, string] = ["maker", publicKey.export({ format: "jwk" }).x!];
  const other = (kid: string): [string, string] => [kid, key[1]];
  const payload = encodePayload({
    f: 1,
    product: "demo",
    chip: "esp32c3",
    layout: "4mb-2slot",
    version: "1.0.1",
    sc: 0,
    min: "1.0.0",
    size: image.length,
    sha256: "0".repeat(64),
    chunk: 4096,
    list: "1".repeat(64),
    block: [65536, 1024, 1],
    keys: [key, other("b".repeat(32)), other("c".repeat(32))],
  });
  const signature = new Uint8Array(sign(null, signingInput("maker", payload), privateKey));
  return { key, file: assembleManifest(payload, { kid: "maker", signature }) };
}

/** Join, syncs, range requests and a manifest: a server of 40 lines. */
function answerer(manifest: Uint8Array) {
  let joined: (ServerJoin & Admitted) | undefined;
  return (req: IncomingMessage, res: ServerResponse, body: Uint8Array) => {
    const range = /bytes=(\d+)-(\d+)/.exec(req.headers.range ?? "");
    if (req.url === "/api/join") {
      const join = openM1(crypto, parseJoinRequest(body), joinKey.secret, serverKey);
      joined = { ...join, ...makeM2(crypto, join, { id: "d1", t: 1 }) };
      return res.end(joined.body);
    }
    if (range) {
      const [first, last] = [Number(range[1]), Number(range[2])];
      res.writeHead(206, { "Content-Range": `bytes ${first}-${last}/${image.length}` });
      return res.end(image.subarray(first, last + 1));
    }
    if (req.url === "/fw/x.jws") return res.end(manifest);
    const keys = deriveKeys(crypto, joined!.key, "d1");
    const sealed = parseSealed(body);
    const request = decodeRequest(openRequest(crypto, keys, sealed));
    const n = request.j && openM3(crypto, { h: joined!.h, c: joined!.hello.c }, request.j.n);
    const reply = {
      t: 1,
      n,
      a: [1, 24] as [number, number],
      p: 2,
      w: [
        [1, 100, 1],
        [2, 5, "on"],
      ] as [number, number, string][],
    };
    const plaintext = encodeReply({ ...reply, c: { n: 3, v: { interval: 60 } } }, 1024);
    res.end(sealReply(crypto, keys, { id: "d1", g: 1, re: tagText(sealed), plaintext }));
  };
}

const program = (port: number, release: { key: [string, string]; digest: string }) => `
import crypto from "device/crypto";
import system from "device/system";
import tcp from "device/tcp";
import timer from "device/timer";
import { HttpClient } from "./link/http.js";
import { runJoin } from "./link/join.js";
import { SyncLink } from "./link/sync.js";
import { parseJoinKey } from "./protocol/join.js";
import { checkUpdate } from "./protocol/update-checks.js";

const about = ${JSON.stringify(about)};
const http = new HttpClient({ tcp, timer, resolve: () => undefined, host: "127.0.0.1", port: ${port} });

async function run() {
  bus("phase", "join");
  const joinKey = parseJoinKey("${formatJoinKey(joinKey)}");
  const joined = await runJoin({ crypto, http, timer, joinKey, about, pin: "${pin}", unpinned: "refuse" });
  bus("log", "join", joined.kind, joined.code);
  bus("phase", "sync");
  const uptimeMs = () => system.uptimeMs();
  const link = new SyncLink({ crypto, http, identity: joined.identity, uptimeMs, maxPlaintext: 1024 });
  const least = { b: 1, s: 1, u: 1, t: 0, w: 0, m: 2048, p: 0, c: 0 };
  const first = await link.send({ ...least, j: { n: joined.n } });
  bus("log", "m3", first.kind, first.reply.n);
  const r = [];
  for (let k = 1; k <= 24; k++) r.push([1, k, 123456, "temperature", 21.5]);
  for (let s = 2; s < 6; s++) {
    const result = await link.send({ ...least, s, r });
    bus("log", "sync", result.kind, JSON.stringify(result.reply.a));
  }
  bus("phase", "manifest");
  const file = await http.request({ method: "GET", path: "/fw/x.jws", timeoutMs: 5000, maxBody: 1500 });
  bus("log", "manifest", check(file.body));
  bus("phase", "ota");
  for (let i = 0; i < 10; i++) {
    const range = { first: i * 4096, length: 4096, total: ${image.length} };
    const chunk = { method: "GET", path: "/fw/x.bin", timeoutMs: 5000, maxBody: 4096, keepAlive: true, range };
    const response = await http.request(chunk);
    bus("log", "chunk", response.status, crypto.sha256(response.body));
  }
  http.close();
  bus("done");
}

function check(file) {
  const offer = { v: "1.0.1", m: "${release.digest}" };
  const context = { offer, product: "demo", chip: "esp32c3", layout: "4mb-2slot", version: "1.0.0", sc: 0, minimumSc: 0 };
  const result = checkUpdate(crypto, file, { ...context, slotSize: 0x1e0000, keys: ${JSON.stringify([release.key])}, failed: () => false });
  return result.refusal ?? result.manifest.version;
}

run().catch((error) => {
  bus("log", "failed", String(error));
  bus("done");
});
`;

test("join, sync, manifest and chunks within an ESP8266's arena and stack", async (t) => {
  const { key, file } = release();
  let connections = 0;
  const { server, port } = await serveSite(t, answerer(file));
  server.on("connection", () => (connections += 1));
  const digest = Buffer.from(crypto.sha256(file)).toString("hex");
  // 32 slots less than the board's stack: a caller needs some of it.
  const { log, peaks, meter, exit } = await runOnXs({
    main: program(port, { key, digest }),
    folders: ["format", "protocol", "link"],
    stack: 224,
  });
  t.is(exit.abort, undefined);
  const of = (name: string) => log.filter(([first]) => first === name).map((entry) => entry.slice(1));
  t.deepEqual(of("failed"), []);
  t.is(of("join")[0]![0], "joined");
  t.deepEqual(of("m3"), [["reply", of("join")[0]![1]!]]);
  t.deepEqual(of("sync"), Array(4).fill(["reply", "[1,24]"]));
  t.deepEqual(of("manifest"), [["1.0.1"]]);
  const chunks = Array.from({ length: 10 }, (_, i) =>
    crypto.sha256(image.subarray(i * 4096, (i + 1) * 4096)),
  );
  t.deepEqual(of("chunk"), chunks.map((hash) => [206, hash]) as never);
  t.is(connections, 1 + 5 + 1 + 1, "the chunks share one connection");
  t.log(JSON.stringify({ arenaPeak: peaks, meter }));
  const scale = (await testEngine()).bits === 64 ? 2 : 1; // a slot of a 64-bit engine is twice the chip's
  for (const [phase, peak] of Object.entries(peaks))
    t.true(peak <= 26 * 1024 * scale, `${phase}: ${peak} of ${26 * 1024 * scale}`);
});
