import test from "ava";
import type { ExecutionContext } from "ava";
import type { ServerResponse } from "node:http";
import { runJoin } from "../../../firmware/link/join.js";
import type { JoinOptions } from "../../../firmware/link/join.js";
import { SyncLink } from "../../../firmware/link/sync.js";
import { makeM2, openM1, openM3, parseJoinRequest } from "../../../firmware/protocol/join.js";
import type { Admitted, ServerJoin } from "../../../firmware/protocol/join.js";
import { generateKeyPair } from "../../../firmware/protocol/noise.js";
import {
  deriveKeys,
  openRequest,
  parseSealed,
  sealReply,
  tagText,
} from "../../../firmware/protocol/sealed.js";
import { decodeRequest, encodeReply } from "../../../firmware/protocol/sync-message.js";
import { crypto } from "../../../host/crypto.js";
import { openSite } from "../../support/http-site.js";
import { about, joinKey, pin, serverKey } from "../../support/join-parties.js";
import { timer } from "../../support/node-device.js";

type Pending = ServerJoin & Admitted;

/** A server that admits everybody, and remembers what it was sent. `answer` may interfere. */
async function site(
  t: ExecutionContext,
  answer: (admit: (key?: typeof serverKey) => Pending, res: ServerResponse, count: number) => void,
) {
  const bodies: Uint8Array[] = [];
  const pending: Pending[] = [];
  const http = await openSite(t, (req, res, body) => {
    if (req.url === "/api/devices/d1/sync") return void res.end(third(pending.at(-1)!, body));
    bodies.push(body);
    const admit = (key = serverKey) => {
      const join = openM1(crypto, parseJoinRequest(body), joinKey.secret, key);
      pending.push({ ...join, ...makeM2(crypto, join, { id: "d1", t: 1_700_000_000_000 }) });
      return pending.at(-1)!;
    };
    answer(admit, res, bodies.length);
  });
  const options: JoinOptions = { crypto, http, timer, joinKey, about, pin, unpinned: "refuse", pauseMs: 5 };
  return { bodies, pending, http, options };
}

/** M3: opens the first sync, checks n, and answers with the code as the device's name. */
function third(join: Pending, body: Uint8Array): Uint8Array {
  const keys = deriveKeys(crypto, join.key, "d1");
  const sealed = parseSealed(body);
  const { j } = decodeRequest(openRequest(crypto, keys, sealed));
  const plaintext = encodeReply(
    { t: 1, e: "pending", n: openM3(crypto, { h: join.h, c: join.hello.c }, j!.n) },
    1024,
  );
  return sealReply(crypto, keys, { id: "d1", g: 1, re: tagText(sealed), plaintext });
}

test("a join over HTTP: both show the same six digits, and the first sync opens", async (t) => {
  const { pending, http, options } = await site(t, (admit, res) => res.end(admit().body));
  const result = await runJoin(options);
  if (result.kind !== "joined") return t.fail(JSON.stringify(result));
  t.like(result.identity, { id: "d1", g: 1, pin });
  t.deepEqual(result.identity.key, pending[0]!.key);
  t.false(result.confirm);
  t.is(pending[0]!.hello.pin, pin);
  const sync = new SyncLink({
    crypto,
    http,
    identity: result.identity,
    uptimeMs: Date.now,
    maxPlaintext: 1024,
  });
  const m3 = await sync.send({ b: 1, s: 1, u: 1, t: 0, w: 0, m: 2048, p: 0, c: 0, j: { n: result.n } });
  t.like(m3, { kind: "pending", reply: { n: result.code } });
});

test("M2 lost twice: the same M1 is sent again, the third answer is taken", async (t) => {
  const { bodies, options } = await site(t, (admit, res, count) => {
    const { body } = admit();
    if (count < 3) res.destroy();
    else res.end(body);
  });
  t.is((await runJoin(options)).kind, "joined");
  t.is(bodies.length, 3);
  t.deepEqual(bodies[1], bodies[0]);
  t.deepEqual(bodies[2], bodies[0]);
});

test("at most three times", async (t) => {
  const { bodies, options } = await site(t, (_, res) => res.destroy());
  t.deepEqual(await runJoin(options), { kind: "failed", reason: "server-unreachable" });
  t.is(bodies.length, 3);
});

test("forged and flipped answers do not spoil the exchange: the true one is still taken", async (t) => {
  const { options } = await site(t, (admit, res, count) => {
    const { body } = admit();
    if (count === 1) res.end('{"v":1,"m":"AAAA"}');
    else if (count === 2) {
      const o = JSON.parse(Buffer.from(body).toString()) as { m: string };
      const m = Buffer.from(o.m, "base64url");
      m[40]! ^= 1;
      res.end(JSON.stringify({ ...o, m: m.toString("base64url") }));
    } else res.end(body);
  });
  t.is((await runJoin(options)).kind, "joined");
});

for (const [what, body] of [
  ["an empty body", ""],
  ["a portal's page", "<html>Please log in</html>"],
  ["a body of 2,000 bytes", "x".repeat(2000)],
  ["JSON nested 1,000 deep", "[".repeat(1000)],
] as const)
  test(`unauthenticated: ${what}`, async (t) => {
    const { options } = await site(t, (_, res) => res.end(body));
    t.deepEqual(await runJoin(options), { kind: "failed", reason: "unauthenticated" });
  });

for (const status of [401, 404, 429, 500, 302])
  test(`${status} is only a failure, and is not asked again at once`, async (t) => {
    const { bodies, options } = await site(t, (admit, res) => {
      res.writeHead(status, { Location: "http://127.0.0.1:1/" });
      res.end(admit().body);
    });
    t.deepEqual(await runJoin(options), { kind: "failed", reason: "server-rejected", status });
    t.is(bodies.length, 1);
  });

test("a man in the middle with his own key is wrong-server, and is not asked again", async (t) => {
  const { bodies, options } = await site(t, (admit, res) => res.end(admit(generateKeyPair(crypto)).body));
  t.deepEqual(await runJoin(options), { kind: "failed", reason: "wrong-server" });
  t.is(bodies.length, 1);
});

test("without a pin: refused unsent, asked for at the device, or trusted where the defaults say so", async (t) => {
  const { bodies, options } = await site(t, (admit, res) => res.end(admit().body));
  t.deepEqual(await runJoin({ ...options, pin: undefined }), { kind: "failed", reason: "no-pin" });
  t.is(bodies.length, 0);
  t.like(await runJoin({ ...options, pin: undefined, unpinned: "ask" }), { kind: "joined", confirm: true });
  const trusted = await runJoin({ ...options, pin: undefined, unpinned: "trust" });
  t.like(trusted, { kind: "joined", confirm: false });
  t.is(trusted.kind === "joined" && trusted.identity.pin, pin); // kept from now on
});

test("a join can be given up", async (t) => {
  const { http, options } = await site(t, () => {});
  const joining = runJoin(options);
  setTimeout(() => http.abort(), 50);
  t.deepEqual(await joining, { kind: "failed", reason: "cancelled" });
});
