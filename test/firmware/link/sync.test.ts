import test from "ava";
import type { ExecutionContext } from "ava";
import type { ServerResponse } from "node:http";
import { HttpClient } from "../../../firmware/link/http.js";
import { SyncLink } from "../../../firmware/link/sync.js";
import type { SyncResult } from "../../../firmware/link/sync.js";
import {
  deriveKeys,
  openRequest,
  parseSealed,
  sealReply,
  tagText,
} from "../../../firmware/protocol/sealed.js";
import { decodeRequest, encodeReply } from "../../../firmware/protocol/sync-message.js";
import type { SyncReply, SyncRequest } from "../../../firmware/protocol/sync-message.js";
import { crypto } from "../../../host/crypto.js";
import { openSite } from "../../support/http-site.js";
import { resolve, tcp, timer } from "../../support/node-device.js";

const identity = { id: "d1", g: 1, key: crypto.random(32), pin: "A".repeat(22) };
const keys = deriveKeys(crypto, identity.key, identity.id);
const request: SyncRequest = { b: 1, s: 1, u: 1000, t: 0, w: 0, m: 2048, p: 0, c: 0 };
const T = 1_700_000_000_000;

interface Seen {
  path: string;
  body: Uint8Array;
  tag: string;
  request: SyncRequest;
  seal(reply: SyncReply): Uint8Array;
}

/** A server that opens each sync and answers as the test says, and a link to it. */
async function link(
  t: ExecutionContext,
  answer: (seen: Seen, response: ServerResponse) => void,
  clock = Date.now,
) {
  const all: Seen[] = [];
  const http = await openSite(t, (req, res, body) => {
    const sealed = parseSealed(body);
    const tag = tagText(sealed);
    const seen: Seen = {
      path: req.url!,
      body,
      tag,
      request: decodeRequest(openRequest(crypto, keys, sealed)),
      seal: (reply) =>
        sealReply(crypto, keys, { id: "d1", g: 1, re: tag, plaintext: encodeReply(reply, 1024) }),
    };
    all.push(seen);
    answer(seen, res);
  });
  return { all, http, link: new SyncLink({ crypto, http, identity, uptimeMs: clock, maxPlaintext: 1024 }) };
}

const failed = (reason: string, more = {}) => ({ kind: "failed", reason, ...more }) as SyncResult;

test("a sealed round trip", async (t) => {
  const { all, link: sync } = await link(t, (seen, res) =>
    res.end(seen.seal({ t: T, a: [1, 7], n: "shed" })),
  );
  const result = await sync.send({ ...request, r: [[1, 7, 900, "temperature", 21.5]] });
  t.is(all[0]!.path, "/api/devices/d1/sync");
  t.deepEqual(all[0]!.request.r, [[1, 7, 900, "temperature", 21.5]]);
  if (result.kind !== "reply") return t.fail(JSON.stringify(result));
  t.deepEqual(result.reply, { t: T, a: [1, 7], n: "shed" });
  t.false(sync.busy);
});

test("stale, pending and denied are their own results", async (t) => {
  const replies: SyncReply[] = [
    { t: T, e: "stale", hb: 9 },
    { t: T, e: "pending" },
    { t: T, e: "denied" },
  ];
  const { link: sync } = await link(t, (seen, res) => res.end(seen.seal(replies.shift()!)));
  t.deepEqual(await sync.send(request), { kind: "stale", hb: 9 });
  t.like(await sync.send(request), { kind: "pending" });
  t.deepEqual(await sync.send(request), { kind: "denied" });
});

test("the request echoed as its reply is refused", async (t) => {
  const { link: sync } = await link(t, (seen, res) => res.end(seen.body));
  t.deepEqual(await sync.send(request), failed("unauthenticated"));
});

test("a reply to an earlier request is refused, even to the same (b, s)", async (t) => {
  let first: Uint8Array | undefined;
  const { all, link: sync } = await link(t, (seen, res) =>
    res.end((first ??= seen.seal({ t: T, a: [1, 9] }))),
  );
  t.like(await sync.send(request), { kind: "reply" });
  t.deepEqual(await sync.send({ ...request, s: 2 }), failed("unauthenticated"));
  t.deepEqual(await sync.send(request), failed("unauthenticated"));
  t.not(all[0]!.tag, all[2]!.tag);
});

test("a reply with a bit flipped is refused, wherever it is", async (t) => {
  let bit = 0;
  const { link: sync } = await link(t, (seen, res) => {
    const reply = seen.seal({ t: T });
    reply[Math.floor(bit / 8) % reply.length]! ^= 1 << (bit & 7);
    res.end(reply);
  });
  for (; bit < 1600; bit += 9) t.deepEqual(await sync.send(request), failed("unauthenticated"), `bit ${bit}`);
});

for (const status of [400, 401, 404, 413, 429, 500, 502, 301, 302, 204, 206])
  test(`${status}, which nobody authenticated, is only a failure`, async (t) => {
    const { link: sync } = await link(t, (seen, res) => {
      res.writeHead(status, { Location: "http://127.0.0.1:1/" });
      res.end(status === 204 ? undefined : seen.seal({ t: T, e: "denied" }));
    });
    t.deepEqual(await sync.send(request), failed("server-rejected", { status }));
  });

test("a captive portal's 200 is not our server", async (t) => {
  const { link: sync } = await link(t, (_, res) => res.end("<html>Please log in</html>"));
  t.deepEqual(await sync.send(request), failed("unauthenticated"));
});

test("our server with a field that is wrong is a bad reply", async (t) => {
  const { link: sync } = await link(t, (seen, res) => res.end(seen.seal({ t: -1 })));
  t.deepEqual(await sync.send(request), failed("bad-reply"));
});

test("a reply above what the device takes is refused before it is read", async (t) => {
  const { link: sync } = await link(t, (seen, res) => res.end(seen.seal({ t: T, n: "n".repeat(32) })));
  t.deepEqual(await sync.send({ ...request, m: 200 }), failed("unauthenticated"));
});

test("nobody there is server-unreachable", async (t) => {
  const http = new HttpClient({ tcp, resolve, timer, host: "127.0.0.1", port: 1 });
  const sync = new SyncLink({ crypto, http, identity, uptimeMs: Date.now, maxPlaintext: 1024 });
  t.deepEqual(await sync.send(request), failed("server-unreachable"));
});

test("a hold is cancelled to send something; the reply to it comes too late and is not taken", async (t) => {
  const held: ServerResponse[] = [];
  const { all, link: sync } = await link(t, (seen, res) => {
    if (seen.request.w > 0) held.push(res);
    else res.end(seen.seal({ t: T }));
  });
  const hold = sync.send({ ...request, w: 50 });
  while (held.length === 0) await new Promise((done) => setTimeout(done, 5));
  t.true(sync.busy);
  await t.throwsAsync(sync.send(request), { message: /under way/ });
  sync.cancel();
  t.deepEqual(await hold, failed("cancelled"));
  held[0]!.end(all[0]!.seal({ t: T, a: [1, 99] }));
  const result = await sync.send({ ...request, s: 2 });
  t.like(result, { kind: "reply" });
  t.is((result as { reply: SyncReply }).reply.a, undefined);
});

test("the time is taken only without a hold and from a round trip below 10 s", async (t) => {
  let now = 5_000;
  let takes = 400;
  const { link: sync } = await link(
    t,
    (seen, res) => {
      now += takes;
      res.end(seen.seal({ t: T }));
    },
    () => now,
  );
  const clockOf = async (w: number) => {
    const result = await sync.send({ ...request, w });
    return result.kind === "reply" ? result.clock : t.fail();
  };
  t.deepEqual(await clockOf(0), { t: T + 200, uptimeMs: 5_400 });
  t.is(await clockOf(1), undefined);
  takes = 10_000;
  t.is(await clockOf(0), undefined);
  takes = 60_000;
  t.is(await clockOf(0), undefined);
});

test("more than fits is the caller's error, before anything is sent", async (t) => {
  const { all, link: sync } = await link(t, () => {});
  const r = Array.from(
    { length: 60 },
    (_, i) => [1, i, 0, "temperature", 21.5] as [number, number, number, string, number],
  );
  await t.throwsAsync(sync.send({ ...request, r }), { code: "message-too-long" });
  t.is(all.length, 0);
});
